/**
 * The server of the load bench in workerd, over the local R2 and the local cache of miniflare, which run in the same
 * process: its CPU time has theirs in it.
 */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { R2Store } from "../../functions/store/r2-store.ts";
import { loadMiniflare } from "../support/miniflare.ts";
import type { LoadServerReady, LoadServerReply, LoadServerStart } from "./load.ts";
import { goLive } from "./load-stream.ts";

/** `USER_HZ`, in which Linux counts for everybody. */
const TICKS_PER_SECOND = 100;

const ROOT = path.resolve(import.meta.dirname, "../..");

const [{ signingKeys }] = (await once(process, "message")) as [LoadServerStart];
const folder = await mkdtemp(path.join(tmpdir(), "sluice-bench-"));
bundle(folder);
const { Miniflare, convertV4MiniflareOptions } = await loadMiniflare();
const miniflare = new Miniflare(
	convertV4MiniflareOptions({
		host: "127.0.0.1",
		port: 0,
		modules: [{ type: "ESModule", path: path.join(folder, "load-worker.js") }],
		modulesRoot: folder,
		compatibilityDate: "2026-01-01",
		compatibilityFlags: ["nodejs_compat"],
		cf: false,
		bindings: {
			SLUICE_SIGNING_KEYS: JSON.stringify(signingKeys),
			SLUICE_STREAM_KEY_SECRETS: JSON.stringify([Buffer.alloc(32, 7).toString("base64url")]),
		},
		r2Buckets: { BUCKET: "sluice" },
		// Past the Worker of miniflare that stands in front of ours, and costs more than ours.
		unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
		handleRuntimeStdio: (out: Readable, err: Readable) => {
			out.resume();
			err.pipe(process.stderr);
		},
	}),
);
await miniflare.ready;
const { origin, port } = await miniflare.unsafeGetDirectURL();
await goLive(new R2Store(await miniflare.getR2Bucket("BUCKET")));

process.on("message", async () => {
	const reads = Number(await (await fetch(`${origin}/bench/reads`)).text());
	send({ cpuSeconds: cpuSeconds(), reads });
});
process.on("disconnect", async () => {
	await miniflare.dispose();
	await rm(folder, { recursive: true });
	process.exit();
});
send({ port: Number(port), helloPort: Number(port) });

function bundle(outdir: string): void {
	const args = [
		"deploy",
		path.join(import.meta.dirname, "load-worker.ts"),
		"--dry-run",
		"--minify",
		"--outdir",
		outdir,
	];
	const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CI: "true" };
	const wrangler = path.join(ROOT, "node_modules/wrangler/bin/wrangler.js");
	const { status, stderr } = spawnSync(process.execPath, [wrangler, ...args], { cwd: ROOT, env, encoding: "utf8" });
	if (status !== 0) throw new Error(`The Worker could not be bundled: ${stderr}`);
}

/** Of the workerd that this process started. */
function cpuSeconds(): number {
	const stats = readdirSync("/proc").map((name) => (/^\d+$/.test(name) ? statOf(name) : null));
	const ours = stats.filter((stat) => stat?.name.startsWith("workerd") && stat.parent === String(process.pid));
	return ours.reduce((sum, stat) => sum + (stat?.ticks ?? 0), 0) / TICKS_PER_SECOND;
}

/** proc(5): the name stands in parentheses and may hold anything; fields 4, 14 and 15 are parent, user and system time. */
function statOf(pid: string): { name: string; parent: string; ticks: number } | null {
	let text: string;
	try {
		text = readFileSync(`/proc/${pid}/stat`, "utf8");
	} catch {
		// It has ended since it was listed.
		return null;
	}
	const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
	const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
	return { name, parent: fields[1] ?? "", ticks: Number(fields[11]) + Number(fields[12]) };
}

function send(message: LoadServerReady | LoadServerReply): void {
	process.send?.(message);
}
