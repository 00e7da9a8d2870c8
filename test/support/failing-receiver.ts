/** A customer's endpoint on a real socket, which fails in every way that there is. What it does is settled by a seed. */

import http from "node:http";
import type { AddressInfo } from "node:net";
import type { FakeClock } from "./fake-clock.ts";

export type Mishap =
	| "none"
	| "slow"
	| "hang"
	| "reset before reading"
	| "reset before answering"
	| "reset in the answer"
	| "500"
	| "503"
	| "429"
	| "302"
	| "410";

/** One request as it came; `status` is what was answered, `null` where nothing was. */
export type Received = {
	readonly place: string;
	readonly headers: Record<string, string>;
	readonly body: string;
	readonly atMs: number;
	readonly mishap: Mishap;
	readonly status: number | null;
};

const STATUS: Partial<Record<Mishap, number>> = { "500": 500, "503": 503, "429": 429, "302": 302, "410": 410 };
/** Longer than anybody waits. */
const HANG_MS = 20_000;

export class FailingReceiver implements AsyncDisposable {
	readonly received: Received[] = [];
	readonly mishaps = new Map<Mishap, number>();
	/** Requests that wait for the fake clock, not for the network. */
	waiting = 0;
	readonly #clock: FakeClock;
	readonly #choose: (place: string) => Mishap;
	#server: http.Server | null = null;
	#port = 0;

	private constructor(clock: FakeClock, choose: (place: string) => Mishap) {
		this.#clock = clock;
		this.#choose = choose;
	}

	/** `choose` says what happens to a request for a place, the last part of its address. */
	static async open(clock: FakeClock, choose: (place: string) => Mishap): Promise<FailingReceiver> {
		const receiver = new FailingReceiver(clock, choose);
		await receiver.listen();
		return receiver;
	}

	url(place: string): string {
		return `http://127.0.0.1:${this.#port}/${place}`;
	}

	/** Listens, again on the same port. */
	async listen(): Promise<void> {
		const server = http.createServer((request, response) => void this.#take(request, response).catch(() => undefined));
		await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
		this.#server = server;
		this.#port = (server.address() as AddressInfo).port;
	}

	/** Nobody listens any more: connections are refused. */
	async stop(): Promise<void> {
		const server = this.#server;
		this.#server = null;
		if (server === null) return;
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.stop();
	}

	async #take(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
		const place = request.url?.slice(1) ?? "";
		const mishap = this.#choose(place);
		this.mishaps.set(mishap, (this.mishaps.get(mishap) ?? 0) + 1);
		if (mishap === "reset before reading") {
			request.socket.resetAndDestroy();
			return;
		}
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const { clock, keep } = { clock: this.#clock, keep: this.#keeper(place, request, chunks, mishap) };
		if (mishap === "slow" || mishap === "hang") {
			this.waiting++;
			await clock.sleep(mishap === "slow" ? 1000 + (chunks[0]?.length ?? 0) * 10 : HANG_MS);
			this.waiting--;
		}
		switch (mishap) {
			case "hang":
			case "reset before answering":
				keep(null);
				request.socket.resetAndDestroy();
				return;
			case "reset in the answer":
				keep(200);
				response.writeHead(200, { "content-length": "1000" });
				response.write("half of it", () => request.socket.resetAndDestroy());
				return;
			default: {
				const status = STATUS[mishap] ?? 204;
				keep(status);
				const more = mishap === "429" ? { "retry-after": "3" } : mishap === "302" ? { location: this.url("else") } : {};
				response.writeHead(status, more).end(status === 204 ? undefined : `<p>${mishap}\u0007</p>`);
			}
		}
	}

	#keeper(place: string, { headers }: http.IncomingMessage, chunks: readonly Buffer[], mishap: Mishap) {
		const body = Buffer.concat(chunks).toString();
		const atMs = this.#clock.now();
		return (status: number | null) =>
			this.received.push({ place, headers: headers as Record<string, string>, body, atMs, mishap, status });
	}
}
