/** Streams that are sent to multicast groups: once each, however many readers a group has. */

import dgram from "node:dgram";
import { networkInterfaces } from "node:os";
import { GoneError, InputError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { writeSenderReport } from "../rtp/sender-report.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";
import { PACKET_STRIDE, type RtpBatch } from "../stream/rtp-batch.ts";
import type { PacketSink, SenderReport } from "../stream/sink.ts";
import { type StreamSealer, sealerOf } from "./secure.ts";

/** Packets go through so many routers. */
export const MULTICAST_TTL = 16;
const CNAME = "sluice";

export type MulticastSettings = {
	/** Such as `224.1.0.0/16`. */
	readonly range: string;
	readonly rtpPort: number;
	readonly rtcpPort: number;
	/** Packets are SRTP. */
	readonly secure: boolean;
};

/** The sockets of one kind of packets: one for each network interface, so that every network gets them. */
type Outlet = { readonly rtp: dgram.Socket; readonly rtcp: dgram.Socket };

export class MulticastGroups implements AsyncDisposable {
	readonly #settings: MulticastSettings;
	readonly #outlets: readonly Outlet[];
	readonly #streams = new Map<object, StreamGroups>();
	readonly #used = new Set<number>();
	readonly #first: number;
	readonly #count: number;

	private constructor(settings: MulticastSettings, outlets: readonly Outlet[]) {
		this.#settings = settings;
		this.#outlets = outlets;
		const [address = "", bits = "32"] = settings.range.split("/");
		this.#count = 2 ** (32 - Number(bits));
		this.#first = Math.floor(numberOf(address) / this.#count) * this.#count;
	}

	/** @throws InputError `listen.in_use` */
	static async open(settings: MulticastSettings, log: Logger): Promise<MulticastGroups> {
		const outlets: Outlet[] = [];
		for (const address of interfaceAddresses()) {
			try {
				const rtp = await openSocket(address, settings.rtpPort, log);
				outlets.push({ rtp, rtcp: await openSocket(address, settings.rtcpPort, log) });
			} catch (error) {
				log.warn({ err: error, address }, "A network interface takes no multicast, and gets none");
			}
		}
		return new MulticastGroups(settings, outlets);
	}

	/** Takes groups for a stream, or those that it has. Released when everybody has disposed them. */
	join(stream: ReadableStreamOfPath): StreamGroups {
		const known = this.#streams.get(stream.numbering);
		if (known !== undefined) {
			known.seats++;
			return known;
		}
		const numbers = stream.tracks.map(() => this.#take(stream.path));
		const groups = new StreamGroups(stream, numbers, this.#settings, this.#outlets, () => {
			this.#streams.delete(stream.numbering);
			for (const number of numbers) this.#used.delete(number);
		});
		this.#streams.set(stream.numbering, groups);
		return groups;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const groups of [...this.#streams.values()]) groups.stop();
		const sockets = this.#outlets.flatMap(({ rtp, rtcp }) => [rtp, rtcp]);
		await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
	}

	#take(path: string): number {
		// The first address of a range is the name of the network.
		for (let i = 1; i < this.#count; i++) {
			const number = this.#first + i;
			if (this.#used.has(number)) continue;
			this.#used.add(number);
			return number;
		}
		throw new InputError("path.readers", `multicastIPRange has no address left for ${path}; make it larger`);
	}
}

/** The groups of one stream, and what sends to them while somebody listens. */
export class StreamGroups implements PacketSink, Disposable {
	readonly #stream: ReadableStreamOfPath;
	readonly #addresses: readonly string[];
	readonly #settings: MulticastSettings;
	readonly #outlets: readonly Outlet[];
	readonly #release: () => void;
	readonly #sealer: StreamSealer | null;
	#subscription: Disposable | null = null;
	#listeners = 0;
	/** Sessions that hold these groups. */
	seats = 1;

	constructor(
		stream: ReadableStreamOfPath,
		numbers: readonly number[],
		settings: MulticastSettings,
		outlets: readonly Outlet[],
		release: () => void,
	) {
		this.#stream = stream;
		this.#addresses = numbers.map(textOf);
		this.#settings = settings;
		this.#outlets = outlets;
		this.#release = release;
		this.#sealer = settings.secure ? sealerOf(stream) : null;
	}

	/** Where a track is sent. */
	place(track: number): { group: string; ports: readonly [number, number]; ttl: number } {
		const { rtpPort, rtcpPort } = this.#settings;
		return { group: this.#addresses[track] ?? "", ports: [rtpPort, rtcpPort], ttl: MULTICAST_TTL };
	}

	/** Sends until what this returns is disposed, by the last of those who called it. */
	listen(): Disposable {
		this.#subscription ??= this.#stream.readPackets(this);
		this.#listeners++;
		let isListening = true;
		return {
			[Symbol.dispose]: () => {
				if (!isListening) return;
				isListening = false;
				if (--this.#listeners === 0) this.stop();
			},
		};
	}

	push(batch: RtpBatch): void {
		const { bytes, packets } = this.#sealer === null ? batch : this.#sealer.seal(batch);
		const { rtpPort } = this.#settings;
		for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
			const address = this.#addresses[packets[i] as number];
			if (address === undefined) continue;
			const offset = packets[i + 1] as number;
			const packet = bytes.subarray(offset, offset + (packets[i + 2] as number));
			for (const { rtp } of this.#outlets) rtp.send(packet, rtpPort, address, ignore);
		}
	}

	senderReport(track: number, report: SenderReport): void {
		const address = this.#addresses[track];
		if (address === undefined) return;
		const plain = writeSenderReport(report, CNAME);
		const packet = this.#sealer === null ? plain : this.#sealer.sealRtcp(plain);
		for (const { rtcp } of this.#outlets) rtcp.send(packet, this.#settings.rtcpPort, address, ignore);
	}

	end(_reason: SluiceError): void {
		this.#subscription = null;
	}

	stop(): void {
		this.#subscription?.[Symbol.dispose]();
		this.#subscription = null;
	}

	[Symbol.dispose](): void {
		if (--this.seats > 0) return;
		this.stop();
		this.#release();
	}
}

/** IPv4 addresses of the interfaces: those of networks, or else this machine's own. */
function interfaceAddresses(): string[] {
	const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
	return all.filter(({ family }) => family === "IPv4").map(({ address }) => address);
}

async function openSocket(address: string, port: number, log: Logger): Promise<dgram.Socket> {
	const socket = dgram.createSocket({
		type: "udp4",
		reuseAddr: true,
		lookup: (name, _options, callback) => callback(null, name, 4),
	});
	await new Promise<void>((resolve, reject) => {
		socket.once("error", (cause) => {
			socket.close();
			reject(new GoneError("session.closed", `No multicast over ${address}`, { cause }));
		});
		socket.bind({ port, address }, resolve);
	});
	socket.removeAllListeners("error");
	socket.on("error", (error) => log.warn({ err: error, address }, "A multicast socket reports an error"));
	socket.setMulticastInterface(address);
	socket.setMulticastTTL(MULTICAST_TTL);
	socket.setMulticastLoopback(true);
	return socket;
}

/** With a callback, an error of one packet stays with that packet. */
function ignore(): void {}

function numberOf(address: string): number {
	return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function textOf(number: number): string {
	return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
