/** The readers of the latency bench: they take the time of each packet that comes. */

import net from "node:net";
import { readStamp, STAMP_END, steadyMs } from "./publish.ts";
import { quantile } from "./table.ts";

export type LatencyCommand = { readonly port: number; readonly readers: number };
/** Of what came since the answer before: milliseconds from the write of the publisher to the read of the reader. */
export type LatencyReply = {
	readonly packets: number;
	readonly p50: number;
	readonly p99: number;
	readonly max: number;
};

const REQUESTS = ["SETUP rtsp://127.0.0.1/bench0/trackID=0", "PLAY rtsp://127.0.0.1/bench0/"]
	.map((line, i) => `${line} RTSP/1.0\r\nCSeq: ${i + 1}\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n`)
	.join("");
const HEADER_BYTES = 4;
/** One reader of so many takes the time, of those that are served early and late alike: the others would slow it down. */
const TIMED_EACH = 7;

const buffer = Buffer.allocUnsafeSlow(256 * 1024);
const latencies = new Float64Array(4_000_000);
let count = 0;

/** Finds the packets of one connection, of which a read may end anywhere. */
class StampReader {
	/** What is left of the packet that the read before began. */
	#skip = 0;
	#rest: Buffer = Buffer.alloc(0);

	push(bytes: Buffer): void {
		const nowMs = steadyMs();
		const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
		let at = this.#skip;
		while (at + HEADER_BYTES + STAMP_END <= all.length) {
			if (all[at] !== 0x24) {
				// An answer without a body.
				const end = all.indexOf("\r\n\r\n", at);
				if (end === -1) break;
				at = end + 4;
				continue;
			}
			const isRtp = all[at + 1] === 0;
			const length = all.readUInt16BE(at + 2);
			if (isRtp && count < latencies.length) latencies[count++] = nowMs - readStamp(all, at + HEADER_BYTES);
			at += HEADER_BYTES + length;
		}
		this.#rest = at < all.length ? Buffer.from(all.subarray(at)) : Buffer.alloc(0);
		this.#skip = Math.max(0, at - all.length);
	}
}

function connect(port: number, index: number): Promise<void> {
	return new Promise((resolve, reject) => {
		const reader = index % TIMED_EACH === 0 ? new StampReader() : null;
		const callback = (bytes: number) => {
			reader?.push(buffer.subarray(0, bytes));
			return true;
		};
		const socket = net.connect({ port, host: "127.0.0.1", onread: { buffer, callback } }, resolve);
		socket.on("error", reject);
		socket.write(REQUESTS);
	});
}

let connected = 0;
process.on("message", async ({ port, readers }: LatencyCommand) => {
	for (; connected < readers; connected++) await connect(port, connected);
	const taken = latencies.subarray(0, count);
	const reply: LatencyReply = {
		packets: count,
		p50: quantile(taken, 0.5),
		p99: quantile(taken, 0.99),
		max: quantile(taken, 1),
	};
	count = 0;
	process.send?.(reply);
});
process.on("disconnect", () => process.exit());
