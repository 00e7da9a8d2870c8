/**
 * The viewers of the load bench: raw sockets that send requests as they were written once, and of an answer look at its
 * status and its length alone, so that they cost less than what they measure.
 */

import net from "node:net";
import { cpuSeconds } from "./child.ts";
import type { LoadCommand, LoadReply } from "./load.ts";
import { quantile } from "./table.ts";

const OK = "HTTP/1.1 200";
const HEAD_END = "\r\n\r\n";

/** An HTTP/1.1 connection with one request under way. */
class Connection {
	readonly #socket: net.Socket;
	#buffer = "";
	#answered: ((isOk: boolean, text: string) => void) | null = null;

	constructor(port: number) {
		this.#socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
		// Playlists are ASCII: a character is a byte.
		this.#socket.setEncoding("latin1");
		this.#socket.on("data", (text: string) => this.#read(text));
		this.#socket.on("close", () => this.#end("the connection was closed"));
		this.#socket.on("error", (error) => this.#end(String(error)));
	}

	ask(request: string, answered: (isOk: boolean, text: string) => void): void {
		this.#answered = answered;
		this.#socket.write(request);
	}

	close(): void {
		this.#answered = null;
		this.#socket.destroy();
	}

	#read(text: string): void {
		this.#buffer = this.#buffer === "" ? text : this.#buffer + text;
		const headEnd = this.#buffer.indexOf(HEAD_END);
		if (headEnd < 0) return;
		const bodyAt = headEnd + HEAD_END.length;
		const length = /\r\ncontent-length: (\d+)/i.exec(this.#buffer)?.[1];
		if (length === undefined ? !this.#buffer.endsWith(`0${HEAD_END}`) : this.#buffer.length < bodyAt + Number(length))
			return;
		this.#end(this.#buffer);
	}

	#end(text: string): void {
		const answered = this.#answered;
		this.#answered = null;
		this.#buffer = "";
		answered?.(text.startsWith(OK), text);
	}
}

async function run({ port, targets, connections, rate, requests, ms }: LoadCommand): Promise<LoadReply> {
	const lines = targets.map(
		(target) => `GET ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\naccept: */*\r\n\r\n`,
	);
	const free = Array.from({ length: connections }, () => new Connection(port));
	const all = [...free];
	const latencies: number[] = [];
	let [sent, failures] = [0, 0];
	let failure: string | null = null;
	const { promise: done, resolve } = Promise.withResolvers<void>();
	const [beganMs, cpuBefore] = [performance.now(), cpuSeconds()];
	const dueMs = (n: number) => (rate === "atOnce" ? performance.now() : beganMs + (n * 1000) / rate);
	const isOver = () => sent >= requests || performance.now() - beganMs >= ms;
	const next = () => {
		while (!isOver() && free.length > 0) {
			const atMs = dueMs(sent);
			if (atMs > performance.now()) {
				setTimeout(next, 1);
				return;
			}
			const connection = free.pop() as Connection;
			connection.ask(lines[sent++ % lines.length] ?? "", (isOk, text) => {
				latencies.push(performance.now() - atMs);
				if (!isOk) {
					failures++;
					failure ??= text.slice(0, 1000);
				}
				free.push(connection);
				if (!isOver()) next();
				else if (free.length === all.length) resolve();
			});
		}
		if (isOver() && free.length === all.length) resolve();
	};
	next();
	await done;
	const seconds = (performance.now() - beganMs) / 1000;
	for (const connection of all) connection.close();
	return {
		...{ answers: latencies.length, failures, failure, seconds, cpuSeconds: cpuSeconds() - cpuBefore },
		latencies: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
	};
}

process.on("message", async (command: LoadCommand) => process.send?.(await run(command)));
process.on("disconnect", () => process.exit());
