import dgram from "node:dgram";
import { pino } from "pino";
import { DEFAULT_PATH_CONFIG, type PathConfig } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import type { SourceDriver } from "../../media-node/paths/source.ts";
import type { Publication, PublishRequest } from "../../media-node/stream/publication.ts";
import type { Unit } from "../../media-node/stream/unit.ts";
import { FakeClock } from "./fake-clock.ts";

/** What a publication was given, for a test to look at. */
export class RecordedPublication implements Publication {
	readonly tracks: Publication["tracks"];
	readonly packets: { readonly track: number; readonly bytes: Uint8Array }[] = [];
	readonly units: (Omit<Unit, "track"> & { readonly track: number })[] = [];
	readonly reports: { readonly track: number; readonly wallclockMs: number; readonly rtpTime: number }[] = [];
	/** In the order in which they came: `packet`, `unit`, `report`, `flush`, `close`. */
	readonly calls: string[] = [];
	closedWith: unknown = null;

	constructor(tracks: PublishRequest["tracks"]) {
		this.tracks = tracks.map((track, index) => ({ ...track, index }));
	}

	writePacket(track: number, bytes: Uint8Array, offset: number, length: number): void {
		this.packets.push({ track, bytes: Uint8Array.from(bytes.subarray(offset, offset + length)) });
		this.calls.push("packet");
	}

	writeUnit(track: number, unit: Omit<Unit, "track">): void {
		this.units.push({ ...unit, track, frames: unit.frames.map((frame) => Uint8Array.from(frame)) });
		this.calls.push("unit");
	}

	writeSenderReport(track: number, report: { readonly wallclockMs: number; readonly rtpTime: number }): void {
		this.reports.push({ track, ...report });
		this.calls.push("report");
	}

	flush(): void {
		this.calls.push("flush");
	}

	close(reason?: unknown): void {
		this.closedWith = reason;
		this.calls.push("close");
	}
}

/** One run of a source's driver, and what it published. */
export class DriverRun implements AsyncDisposable {
	readonly clock = new FakeClock();
	/** Resolves with why the run ended. */
	readonly ended: Promise<unknown>;
	readonly #stop = new AbortController();
	publication: RecordedPublication | null = null;
	remoteAddress = "";
	published = 0;

	constructor(
		driver: SourceDriver,
		source: string,
		{ config = {}, refuse }: { config?: Partial<PathConfig>; refuse?: Error } = {},
	) {
		const run = driver.run(
			{
				path: parsePathName("cam01"),
				source,
				config: { ...DEFAULT_PATH_CONFIG, source, ...config },
				clock: this.clock,
				log: pino({ level: "silent" }),
				readTimeoutMs: 10_000,
				writeTimeoutMs: 10_000,
				publish: async (tracks, remoteAddress) => {
					if (refuse !== undefined) throw refuse;
					this.published++;
					this.remoteAddress = remoteAddress;
					this.publication = new RecordedPublication(tracks);
					return this.publication;
				},
			},
			this.#stop.signal,
		);
		this.ended = run.then(
			() => "returned",
			(error: unknown) => error,
		);
	}

	get units(): RecordedPublication["units"] {
		return this.publication?.units ?? [];
	}

	get packets(): RecordedPublication["packets"] {
		return this.publication?.packets ?? [];
	}

	/** Ends it as an operator does, and gives why it ended. */
	stop(): Promise<unknown> {
		this.#stop.abort();
		return this.ended;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop();
	}
}

/** A socket of a test that sends to a port of the loopback interface, or to a group there. */
export class Datagrams implements AsyncDisposable {
	readonly socket: dgram.Socket;

	private constructor(socket: dgram.Socket) {
		this.socket = socket;
	}

	static async open(address = "127.0.0.1"): Promise<Datagrams> {
		const socket = dgram.createSocket(address.includes(":") ? "udp6" : "udp4");
		await new Promise<void>((resolve) => socket.bind(0, address, resolve));
		if (!address.includes(":")) socket.setMulticastInterface(address);
		socket.setMulticastLoopback(true);
		return new Datagrams(socket);
	}

	get port(): number {
		return this.socket.address().port;
	}

	send(bytes: Uint8Array, port: number, address = "127.0.0.1"): Promise<void> {
		return new Promise((resolve, reject) =>
			this.socket.send(bytes, port, address, (error) => (error === null ? resolve() : reject(error))),
		);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await new Promise<void>((resolve) => this.socket.close(() => resolve()));
	}
}
