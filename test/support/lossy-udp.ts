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

/** `target`: a port of this machine; `loss`: from 0 to 1, of each direction, and `delayMs` too. */
export type LossyLink = {
	readonly target: number;
	readonly loss: number;
	readonly seed: number;
	readonly delayMs?: number;
	/** What it carries to the peers, of all together, in bits per second; as much as comes if left out. */
	readonly bitrate?: number;
};

/** What a thin link holds before it loses packets. */
const QUEUE_MS = 500;

/**
 * A UDP port that passes on to another one what it gets from many peers, and their answers, and loses some of both. Only
 * media are lost: without the checks and handshakes, whose timers are slow, a test would be of them.
 */
export class LossyUdp implements AsyncDisposable {
	readonly toNode: LinkCount = { passed: 0, lost: 0 };
	readonly toPeers: LinkCount = { passed: 0, lost: 0 };
	/** Packets to the peers by the payload type of RTP. */
	readonly types = new Map<number, number>();
	readonly #front = dgram.createSocket("udp4");
	/** By the address of the peer: the socket that the node knows it by. */
	readonly #backs = new Map<string, dgram.Socket>();
	readonly #random: () => number;
	readonly #loss: number;
	readonly #target: number;

	readonly #delayMs: number;
	/** What it carries to the peers, in bits per second. May be changed. */
	bitrate: number | null;
	#freeMs = 0;
	readonly #underway = new Set<NodeJS.Timeout>();

	private constructor(options: LossyLink) {
		this.#target = options.target;
		this.#delayMs = options.delayMs ?? 0;
		this.bitrate = options.bitrate ?? null;
		this.#loss = options.loss;
		this.#random = randomOf(options.seed);
	}

	static async open(options: LossyLink) {
		const link = new LossyUdp(options);
		link.#front.on("message", (bytes, peer) => {
			if (!link.#passes(bytes, link.toNode)) return;
			link.#later(() => link.#backOf(peer).send(bytes, link.#target, "127.0.0.1", ignore));
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

	/** How long a packet waits for those before it, in ms; `null`: there is no room for it. */
	#queueMs(bytes: Uint8Array): number | null {
		if (this.bitrate === null) return 0;
		const nowMs = performance.now();
		const waitMs = Math.max(0, this.#freeMs - nowMs);
		if (waitMs > QUEUE_MS) return null;
		this.#freeMs = nowMs + waitMs + (bytes.length * 8_000) / this.bitrate;
		return waitMs;
	}

	#later(send: () => void, queueMs = 0): void {
		const delayMs = this.#delayMs + queueMs;
		if (delayMs === 0) {
			send();
			return;
		}
		const timer = setTimeout(() => {
			this.#underway.delete(timer);
			send();
		}, delayMs);
		this.#underway.add(timer);
	}

	#backOf({ address, port }: dgram.RemoteInfo): dgram.Socket {
		const name = `${address}:${port}`;
		const known = this.#backs.get(name);
		if (known !== undefined) return known;
		const socket = dgram.createSocket("udp4");
		socket.on("message", (bytes) => {
			if (!this.#passes(bytes, this.toPeers)) return;
			const type = (bytes[1] ?? 0) & 0x7f;
			this.types.set(type, (this.types.get(type) ?? 0) + 1);
			const queueMs = this.#queueMs(bytes);
			if (queueMs !== null) this.#later(() => this.#front.send(bytes, port, address, ignore), queueMs);
		});
		socket.on("error", ignore);
		this.#backs.set(name, socket);
		return socket;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const timer of this.#underway) clearTimeout(timer);
		const sockets = [this.#front, ...this.#backs.values()];
		await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
	}
}

/** A peer that is gone is a packet that is lost. */
function ignore(): void {}
