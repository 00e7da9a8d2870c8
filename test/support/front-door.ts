import net from "node:net";
import { pino } from "pino";
import { FrontDoor } from "../../media-node/rtsp/front-door.ts";
import type { Wire } from "../../media-node/rtsp/wire.ts";
import { eventually } from "./eventually.ts";
import { FakeClock } from "./fake-clock.ts";

/** A wire that came out of the door, with what it gave. */
export type Guest = {
	readonly wire: Wire;
	received: Buffer;
	readonly chunks: Uint8Array[];
	ended: boolean;
	closes: number;
};

/** A client's socket and all that it has read. */
export type Caller = { readonly socket: net.Socket; received: Buffer; closed: boolean };

/** A door with a real socket on a port of its own. Dispose of it: whatever is open is destroyed. */
export class DoorWorld implements AsyncDisposable {
	readonly clock = new FakeClock();
	readonly lines: string[] = [];
	readonly guests: Guest[] = [];
	readonly #callers: Caller[] = [];
	readonly #accepted = new Set<net.Socket>();
	readonly door: FrontDoor;
	readonly server: net.Server;

	private constructor(trustedProxies: readonly string[]) {
		const log = pino({ level: "info" }, { write: (line) => void this.lines.push(JSON.parse(line).msg) });
		const onWire = (wire: Wire) => {
			const guest: Guest = { wire, received: Buffer.alloc(0), chunks: [], ended: false, closes: 0 };
			this.guests.push(guest);
			wire.attach({
				onData(bytes) {
					guest.chunks.push(bytes);
					guest.received = Buffer.concat([guest.received, bytes]);
				},
				onEnd: () => {
					guest.ended = true;
				},
				onClose: () => {
					guest.closes++;
				},
			});
		};
		this.door = new FrontDoor({ trustedProxies, clock: this.clock, log, onWire });
		this.server = net.createServer({ noDelay: true }, (socket) => {
			this.#accepted.add(socket);
			socket.on("close", () => this.#accepted.delete(socket));
			this.door.accept(socket);
		});
	}

	static async open(trustedProxies: readonly string[] = []): Promise<DoorWorld> {
		const world = new DoorWorld(trustedProxies);
		await new Promise<void>((resolve) => world.server.listen(0, "127.0.0.1", resolve));
		return world;
	}

	get port(): number {
		return (this.server.address() as net.AddressInfo).port;
	}

	/** Connections that the door's side has not closed. */
	get accepted(): number {
		return this.#accepted.size;
	}

	/** Connects, and sends `first` in one write. */
	async call(first: string | Uint8Array = ""): Promise<Caller> {
		const socket = net.connect({ port: this.port, host: "127.0.0.1", noDelay: true });
		const caller: Caller = { socket, received: Buffer.alloc(0), closed: false };
		this.#callers.push(caller);
		socket.on("data", (bytes) => {
			caller.received = Buffer.concat([caller.received, bytes]);
		});
		// A reset is one way in which the door closes.
		socket.on("error", () => {});
		socket.on("close", () => {
			caller.closed = true;
		});
		await new Promise<void>((resolve) => socket.once("connect", resolve));
		if (first.length > 0) socket.write(first);
		return caller;
	}

	/** The guest of this number, once it has come. */
	guest(index = 0): Promise<Guest> {
		return eventually(`guest ${index}`, () => this.guests[index], { everyMs: 1 });
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.door[Symbol.asyncDispose]();
		for (const { socket } of this.#callers) socket.destroy();
		for (const socket of this.#accepted) socket.destroy();
		await new Promise((resolve) => this.server.close(resolve));
	}
}
