/** The server of the ingest bench: what publishers send becomes HLS in a bucket in memory, which keeps no media. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock } from "#shared/clock.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import type { Body, PutOptions, PutResult } from "#shared/store/object-store.ts";
import { LiveHls } from "../../media-node/live-hls.ts";
import { Transcoders } from "../../media-node/transcode/transcoders.ts";
import { cpuSeconds } from "./child.ts";
import { log, openRtsp, openTable } from "./server.ts";

export type IngestReply = {
	readonly port: number;
	readonly cpuSeconds: number;
	/** Objects that were put, by now. */
	readonly puts: number;
	/** Segments that players can see, by now. */
	readonly segments: number;
};

/** Copies of all media would cost memory, and so time, that a real bucket's are not paid with: they are let go. */
class ForgetfulStore extends MemoryStore {
	override put(key: string, body: Body, options?: PutOptions): Promise<PutResult> {
		return super.put(key, body.length > MAX_KEPT_BYTES ? "" : body, options);
	}
}
/** Playlists, heads and the like are smaller; segments are not. */
const MAX_KEPT_BYTES = 64 * 1024;

const spoolRoot = mkdtempSync(path.join(tmpdir(), "sluice-bench-"));
process.on("exit", () => rmSync(spoolRoot, { recursive: true, force: true }));

const problems: unknown[] = [];
const store = new ForgetfulStore();
const hls = new LiveHls({
	store,
	clock: systemClock,
	log,
	nodeId: "bench",
	spoolRoot,
	maxSpoolBytes: 2 ** 30,
	transcoders: new Transcoders({ clock: systemClock, log, program: () => "ffmpeg" }),
	onFenced: (_path, reason) => problems.push(reason),
	onProblem: (_path, problem) => problems.push(problem),
	onLost: (_path, loss) => problems.push(loss),
	onUploadSeconds: () => undefined,
	retentionMsOf: () => null,
});
const table = openTable({
	onPublish: (name, config, stop) => hls.prepare(name, config, stop),
});
table.onStream({
	streamBegan: (stream) => hls.begin(stream),
	streamEnded: ({ path: name }) => hls.end(name),
});
const rtsp = await openRtsp(table);

process.on("message", () => {
	for (const problem of problems.splice(0)) console.error(problem);
	const segments = hls.metrics().reduce((sum, { metrics }) => sum + metrics.segmentsCommitted, 0);
	const reply: IngestReply = { port: rtsp.port, cpuSeconds: cpuSeconds(), puts: store.operations.put, segments };
	process.send?.(reply);
});
process.on("disconnect", () => process.exit());
process.send?.({});
