import dgram from "node:dgram";

/** Numbers from 0 to 1 that are the same for a seed. */
export function randomOf(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** What one direction of a link did. */
export type LinkCount = { passed: number; lost: number };

/**
 * A UDP port that passes on to another one what it gets from many peers, and their answers, and loses some of both. Only
 * media are lost: without the checks and handshakes, whose timers are slow, a test would be of them.
 */
export class LossyUdp implements AsyncDisposable {
	readonly toNode: LinkCount = { passed: 0, lost: 0 };
	readonly toPeers: LinkCount = { passed: 0, lost: 0 };
	readonly #front = dgram.createSocket("udp4");
	/** By the address of the peer: the socket that the node knows it by. */
	readonly #backs = new Map<string, dgram.Socket>();
	readonly #random: () => number;
	readonly #loss: number;
	readonly #target: number;

	private constructor(options: { readonly target: number; readonly loss: number; readonly seed: number }) {
		this.#target = options.target;
		this.#loss = options.loss;
		this.#random = randomOf(options.seed);
	}

	/** `target`: a port of this machine; `loss`: from 0 to 1, of each direction. */
	static async open(options: { readonly target: number; readonly loss: number; readonly seed: number }) {
		const link = new LossyUdp(options);
		link.#front.on("message", (bytes, peer) => {
			if (link.#passes(bytes, link.toNode)) link.#backOf(peer).send(bytes, link.#target, "127.0.0.1", ignore);
		});
		await new Promise<void>((resolve) => link.#front.bind(0, "127.0.0.1", resolve));
		return link;
	}

	get port(): number {
		return this.#front.address().port;
	}

	#passes(bytes: Uint8Array, count: LinkCount): boolean {
		// RFC 7983 §7: SRTP and SRTCP.
		const isMedia = (bytes[0] ?? 0) >= 128 && (bytes[0] ?? 0) <= 191;
		if (isMedia && this.#random() < this.#loss) {
			count.lost++;
			return false;
		}
		count.passed++;
		return true;
	}

	#backOf({ address, port }: dgram.RemoteInfo): dgram.Socket {
		const name = `${address}:${port}`;
		const known = this.#backs.get(name);
		if (known !== undefined) return known;
		const socket = dgram.createSocket("udp4");
		socket.on("message", (bytes) => {
			if (this.#passes(bytes, this.toPeers)) this.#front.send(bytes, port, address, ignore);
		});
		socket.on("error", ignore);
		this.#backs.set(name, socket);
		return socket;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const sockets = [this.#front, ...this.#backs.values()];
		await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
	}
}

/** A peer that is gone is a packet that is lost. */
function ignore(): void {}
