import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** The floors of the media node, bottom to top. A room imports values from lower floors only. */
const FLOORS: readonly (readonly string[])[] = [
	["bytes"],
	["codecs"],
	["rtp", "mp4", "mpegts", "srtp"],
	["stream"],
	["access", "config", "hooks", "http", "paths", "transcode"],
	["rtsp", "webrtc", "datagram", "file", "hls", "bucket", "control", "api", "acme"],
	["cli"],
];

/** What each half may import besides itself, relative paths aside. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
	shared: /^(zod|jose|#shared\/)/,
	functions: /^(zod|jose|hono(\/|$)|#shared\/)/,
	"functions/console":
		/^(react|react-dom\/client|@mantine\/|@tanstack\/react-query|wouter|lucide-react|hls\.js|yaml|zod|#shared\/)/,
	"media-node":
		/^(node:|zod$|ws$|yaml$|@noble\/ciphers\/|@peculiar\/x509$|jose$|commander$|pino|prom-client$|werift$|#shared\/)/,
};
/** The entries, which meet the world: each names what it may import more. */
const EXCEPTIONS: Readonly<Record<string, RegExp>> = {
	"shared/store/fs-store.ts": /^node:/,
	"shared/store/fs-file.ts": /^node:/,
	"shared/store/fs-lock.ts": /^node:/,
	"shared/store/fs-object.ts": /^node:/,
	"functions/node-hashes.ts": /^node:/,
	"shared/store/s3-store.ts": /^(node:|@aws-sdk\/client-s3$|@smithy\/)/,
	"functions/node.ts": /^(node:|@hono\/node-server)/,
	"functions/node-send.ts": /^node:/,
	"functions/node-console.ts": /^node:/,
	"functions/dev-worker.ts": /^(node:|wrangler$)/,
	"functions/lambda.ts": /^node:/,
	"functions/console/vite.config.ts": /^(node:|vite$)/,
	// A text that people copy into programs of their own.
	"functions/console/pages/webhooks/verify-snippet.ts": /^(node:|standardwebhooks$)/,
};
/** The console runs in browsers: of the functions it knows what they answer, as types. */
const CONSOLE = "functions/console/";

/** The one file that starts both halves. */
const ALL_IN_ONE = "media-node/cli/start.ts";

type Import = { readonly from: string; readonly to: string; readonly type: boolean };

function sources(folder: string): string[] {
	return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
		.filter(
			(file) =>
				/\.tsx?$/.test(file) &&
				!file.startsWith("console/dist/") &&
				!file.endsWith(".test.ts") &&
				!file.endsWith(".d.ts"),
		)
		.map((file) => `${folder}/${file.replaceAll(path.sep, "/")}`);
}

function importsOf(file: string): Import[] {
	const text = readFileSync(path.join(ROOT, file), "utf8");
	const statement = /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^"';]*?from\s+)?"([^"]+)"|import\("([^"]+)"\)/g;
	return [...text.matchAll(statement)].map((match) => {
		const target = match[2] ?? match[3] ?? "";
		const to = target.startsWith(".") ? path.posix.join(path.posix.dirname(file), target) : target;
		return { from: file, to, type: match[1] !== undefined };
	});
}

const files = ["shared", "functions", "media-node"].flatMap(sources);
const imports = files.flatMap(importsOf);

function floorOf(file: string): number {
	const room = file.split("/")[1] ?? "";
	return FLOORS.findIndex((floor) => floor.includes(room));
}

describe("the walls of the house", () => {
	it("reads a source tree and its imports at all", () => {
		expect(files.length).toBeGreaterThan(40);
		expect(imports.length).toBeGreaterThan(100);
	});

	it("keeps the halves apart: only the all-in-one entry sees both", () => {
		const wrong = imports.filter(({ from, to }) => {
			if (from === ALL_IN_ONE) return false;
			const half = from.split("/")[0];
			const other = to.split("/")[0];
			if (to.startsWith("#shared/")) return false;
			return ["shared", "functions", "media-node", "test", "infra"].includes(other ?? "") && other !== half;
		});
		expect(wrong).toEqual([]);
	});

	it("keeps the console and the functions apart, but for types", () => {
		const wrong = imports.filter(
			({ from, to, type }) =>
				!type && to.startsWith("functions/") && from.startsWith(CONSOLE) !== to.startsWith(CONSOLE),
		);
		expect(wrong.filter(({ from }) => from !== ALL_IN_ONE)).toEqual([]);
	});

	it("lets infra see what is shared, and neither half", () => {
		const seen = sources("infra").flatMap(importsOf);
		expect(seen.length).toBeGreaterThan(40);
		expect(seen.filter(({ to }) => /^(functions|media-node|test)\//.test(to))).toEqual([]);
	});

	it("lets each half import its own packages only", () => {
		const wrong = imports.filter(({ from, to }) => {
			const half = from.startsWith(CONSOLE) ? "functions/console" : (from.split("/")[0] ?? "");
			if (half === "functions/console" && to.startsWith("functions/")) return false;
			if (to.startsWith(`${half}/`) || (from === ALL_IN_ONE && to.startsWith("functions/"))) return false;
			return !PACKAGES[half]?.test(to) && !EXCEPTIONS[from]?.test(to);
		});
		expect(wrong).toEqual([]);
	});

	it("imports down the floors of the media node only, and never a neighbour on the same floor's values", () => {
		const wrong = imports.filter(({ from, to, type }) => {
			if (type || !to.startsWith("media-node/") || from.split("/").length < 3 || to.split("/").length < 3) return false;
			if (from.split("/")[1] === to.split("/")[1]) return false;
			return floorOf(from) <= floorOf(to);
		});
		expect(wrong).toEqual([]);
	});

	it("knows every room of the media node", () => {
		const rooms = new Set(
			files
				.filter((file) => file.startsWith("media-node/") && file.split("/").length > 2)
				.map((file) => file.split("/")[1]),
		);
		expect([...rooms].filter((room) => !FLOORS.flat().includes(room ?? ""))).toEqual([]);
	});
});
