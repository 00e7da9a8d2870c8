/** Streams that Sluice fetches or makes itself: from another Sluice, from a file, on demand; and its hooks and reloads. */

import { createHash, X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { sample } from "../support/media.ts";
import { expectFilm, GstReader } from "../support/rtsp-clients.ts";
import { Sluice, TLS_FILES } from "../support/sluice.ts";
import { type TempDir, tempDir } from "../support/temp-dir.ts";

let folder: TempDir;
let film: string;

beforeAll(async () => {
	folder = await tempDir();
	film = await sample({ seconds: 60, size: "320x240" });
});

afterAll(async () => {
	await folder?.[Symbol.asyncDispose]();
});

/** Lines of configuration for paths, each with its keys. */
function pathsOf(paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>): string {
	// JSON is YAML.
	return `paths: ${JSON.stringify(paths)}`;
}

describe("a source that is another server", () => {
	it("is pulled over every transport, with Digest and a pinned certificate, and byte for byte", async () => {
		await using here = await tempDir();
		await using origin = await Sluice.start({
			folder: folder.path,
			secure: true,
			config: [
				"rtspAuthMethods: [digest]",
				"authInternalUsers:",
				"  - { user: any, permissions: [{ action: publish }, { action: metrics }] }",
				"  - { user: puller, pass: correct-horse-battery, permissions: [{ action: read }] }",
				`paths: { all_others: {}, moved: { source: redirect, sourceRedirect: "/cam01" } }`,
			].join("\n"),
		});
		await using _camera = publish(film, origin.rtsp("cam01"));
		await origin.ready("cam01");
		const certificate = new X509Certificate(await readFile(path.join(TLS_FILES, "localhost.crt")));
		const sourceFingerprint = createHash("sha256").update(certificate.raw).digest("hex");

		const withLogin = (url: string) => url.replace("://", "://puller:correct-horse-battery@");
		const [plain, secure] = [withLogin(origin.rtsp("cam01")), withLogin(origin.rtsps("cam01"))];
		const pulled = {
			tcp: { source: plain, rtspTransport: "tcp" },
			udp: { source: plain, rtspTransport: "udp" },
			multicast: { source: plain, rtspTransport: "multicast" },
			automatic: { source: plain },
			rtsps: { source: secure, rtspTransport: "tcp", sourceFingerprint },
			http: { source: plain.replace("rtsp:", "rtsp+http:") },
			websocket: { source: plain.replace("rtsp:", "rtsp+ws:") },
			redirected: { source: withLogin(origin.rtsp("moved")), rtspTransport: "tcp" },
		};
		const imposter = { source: secure, sourceFingerprint: "00".repeat(32) };
		await using sluice = await Sluice.start({ folder: here.path, config: pathsOf({ ...pulled, imposter }) });
		const faults = await Promise.all(
			Object.keys(pulled).map((name) =>
				sluice
					.ready(name)
					.then(() => expectFilm(sluice.rtsp(name), { film, out: path.join(here.path, `${name}.mkv`) }))
					.catch((error: Error) => `${name}: ${error.message}`),
			),
		);
		expect(faults.filter(Boolean), sluice.program.tail).toEqual([]);
		expect(await sluice.metric("paths", { name: "imposter", state: "ready" })).toBe(0);
		expect(sluice.program.output.toString()).toMatch(/The source of imposter failed: .*fingerprint/i);
		expect(sluice.program.output.toString()).not.toContain("correct-horse");
	});
});

describe("a source of RTSPS", () => {
	it("is pulled over UDP and multicast as SRTP, byte for byte", async () => {
		await using here = await tempDir();
		await using origin = await Sluice.start({ folder: folder.path, secure: true });
		await using _camera = publish(film, origin.rtsp("cam01"));
		await origin.ready("cam01");
		const certificate = new X509Certificate(await readFile(path.join(TLS_FILES, "localhost.crt")));
		const sourceFingerprint = createHash("sha256").update(certificate.raw).digest("hex");

		const source = origin.rtsps("cam01");
		const pulled = {
			udp: { source, rtspTransport: "udp", sourceFingerprint },
			multicast: { source, rtspTransport: "multicast", sourceFingerprint },
		};
		await using sluice = await Sluice.start({ folder: here.path, config: pathsOf(pulled) });
		const faults = await Promise.all(
			Object.keys(pulled).map((name) =>
				sluice
					.ready(name)
					.then(() => expectFilm(sluice.rtsp(name), { film, out: path.join(here.path, `${name}.mkv`) }))
					.catch((error: Error) => `${name}: ${error.message}`),
			),
		);
		expect(faults.filter(Boolean), sluice.program.tail).toEqual([]);
		const played = sluice.logged("The source plays").map((entry) => entry["transport"]);
		expect(played.sort()).toEqual(["multicast", "udp"]);
	});
});

describe("a source on demand", () => {
	it("is connected to while somebody reads, and left when nobody does any more", async () => {
		await using here = await tempDir();
		await using origin = await Sluice.start({ folder: folder.path });
		await using _camera = publish(film, origin.rtsp("cam01"));
		await origin.ready("cam01");
		const pulled = { source: origin.rtsp("cam01"), sourceOnDemand: true, sourceOnDemandCloseAfter: "1s" };
		await using sluice = await Sluice.start({ folder: here.path, config: pathsOf({ pulled }) });
		expect(await origin.metric("paths_readers")).toBe(0);
		const out = path.join(here.path, "read.mkv");
		await expectFilm(sluice.rtsp("pulled"), { film, out });
		expect(await origin.metric("paths_readers")).toBe(1);
		await eventually("the source is left", async () => (await origin.metric("paths_readers")) === 0);
		await expectFilm(sluice.rtsp("pulled"), { film, out });
		expect(sluice.logged("The source plays")).toHaveLength(2);
	});
});

describe("a list of sources", () => {
	it("fails over to one that is alive, and comes back when a better one appears, with its readers", async () => {
		await using here = await tempDir();
		const dead = `rtsp://127.0.0.1:${await freePort()}/cam01`;
		await using origin = await Sluice.start({ folder: folder.path });
		await using _spare = publish(film, origin.rtsp("spare"));
		await origin.ready("spare");
		const listed = { source: [dead, origin.rtsp("main"), origin.rtsp("spare")], rtspTransport: "tcp" };
		await using sluice = await Sluice.start({ folder: here.path, config: pathsOf({ listed }) });
		await sluice.ready("listed");
		const readersOf = (name: string) => origin.metric("paths_readers", { name });
		expect(await readersOf("spare")).toBe(1);

		await using reader = new GstReader(sluice.rtsp("listed"), {
			protocols: "tcp",
			out: path.join(here.path, "reader.mkv"),
			sound: "rtpmp4gdepay",
		});
		await eventually("the reader has pictures", () => reader.received.video > 10);
		await using _main = publish(film, origin.rtsp("main"));
		await eventually("the source is the better one", async () => (await readersOf("main")) === 1, {
			timeoutMs: 25_000,
		});
		await eventually("the worse one is left", async () => (await readersOf("spare")) === 0);
		const { video } = reader.received;
		await eventually("the same reader gets more", () => reader.received.video > video + 60);
		expect(sluice.logged("A reader came")).toHaveLength(1);
	});
});

describe("a source that is a file", () => {
	it("is played as a camera, with all of its pictures, and in real time", async () => {
		await using here = await tempDir();
		const film01 = { source: "file", sourceFile: film };
		await using sluice = await Sluice.start({ folder: here.path, config: pathsOf({ film01 }) });
		await sluice.ready("film01");
		const begun = performance.now();
		await expectFilm(sluice.rtsp("film01"), { film, out: path.join(here.path, "film.mkv"), keysGrow: true });
		// A second and a half of pictures, of which half a second may be there already.
		expect(performance.now() - begun).toBeGreaterThan(900);
	});
});

describe("hooks", () => {
	it("publish on demand, and are told who publishes and who reads", async () => {
		await using here = await tempDir();
		const note = path.join(here.path, "note.sh");
		await writeFile(note, '#!/bin/sh\nenv > "$1.part" && mv "$1.part" "$1"\n', { mode: 0o755 });
		const environment = async (file: string) => {
			const text = await eventually(`${file} is written`, () =>
				readFile(path.join(here.path, file), "utf8").catch(() => undefined),
			);
			return Object.fromEntries(text.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)));
		};
		const demanded = {
			runOnDemand: `ffmpeg -v error -re -stream_loop -1 -i ${film} -c copy -f rtsp rtsp://127.0.0.1:$RTSP_PORT/$MTX_PATH`,
			runOnDemandCloseAfter: "1s",
			runOnAvailable: `${note} ${here.path}/available`,
			runOnUnavailable: `${note} ${here.path}/unavailable`,
			runOnRead: `${note} ${here.path}/read`,
			runOnUnread: `${note} ${here.path}/unread`,
		};
		const config = `${pathsOf({ "~^on-(.+)$": demanded })}\nrunOnConnect: ${note} ${here.path}/connect`;
		await using sluice = await Sluice.start({ folder: here.path, config });
		expect(await sluice.metric("paths")).toBe(0);
		const url = `${sluice.rtsp("on-stage")}?seat=4&row=a`;
		await expectFilm(url, { film, out: path.join(here.path, "read.mkv") });

		const common = { MTX_PATH: "on-stage", G1: "stage", RTSP_PORT: String(sluice.ports.rtsp) };
		expect(await environment("connect")).toMatchObject({ MTX_CONN_TYPE: "rtspConn" });
		expect(await environment("available")).toMatchObject({ ...common, MTX_SOURCE_TYPE: "rtspSession" });
		const reading = { ...common, MTX_READER_TYPE: "rtspSession", MTX_QUERY: "seat=4&row=a" };
		expect(await environment("read")).toMatchObject(reading);
		expect(await environment("unread")).toMatchObject(reading);
		expect(await environment("unavailable")).toMatchObject(common);
		expect(await sluice.metric("paths", { state: "ready" })).toBe(0);
	});
});

describe("a configuration that changes while the node runs", () => {
	it("touches only what it changes, and leaves everything as it is when it is not right", async () => {
		await using here = await tempDir();
		const config = (level: string, other: Readonly<Record<string, unknown>>) =>
			`logLevel: ${level}\n${pathsOf({ cam01: {}, other, all_others: {} })}`;
		await using sluice = await Sluice.start({ folder: here.path, config: config("info", {}) });
		await using camera = publish(film, sluice.rtsp("cam01"));
		await sluice.ready("cam01");
		await using reader = new GstReader(sluice.rtsp("cam01"), {
			protocols: "tcp",
			out: path.join(here.path, "reader.mkv"),
			sound: "rtpmp4gdepay",
		});
		await eventually("the reader has pictures", () => reader.received.video > 10);
		const said = () => sluice.program.output.toString() + sluice.program.errors;
		const timesRead = () => said().split("was read again, and its changes are in effect").length - 1;

		await sluice.reconfigure(config("debug", { maxReaders: 1, source: "file", sourceFile: film }));
		await eventually("the file is read", () => timesRead() === 1);
		await sluice.ready("other");
		await expectFilm(sluice.rtsp("other"), { film, out: path.join(here.path, "other.mkv"), keysGrow: true });
		await eventually("what is for debugging is logged", () => said().includes(" DEBUG: "));

		await sluice.reconfigure("logLevl: info");
		const complaint = await sluice.program.says(/is not right: what runs goes on.*/);
		expect(complaint).toMatch(/logLevl.*logLevel/s);
		expect(await sluice.metric("paths", { state: "ready" })).toBe(2);

		await sluice.reconfigure(config("info", {}));
		sluice.program.child.kill("SIGHUP");
		await eventually("the file is read at the signal", () => timesRead() >= 2);
		await eventually("the path has no source any more", async () => {
			return (await sluice.metric("paths", { state: "ready" })) === 1;
		});

		const { video } = reader.received;
		await eventually("the reader gets more", () => reader.received.video > video + 30);
		expect(camera.running).toBe(true);
		expect(sluice.logged("A reader came").filter((entry) => entry["path"] === "cam01")).toHaveLength(1);
		expect(sluice.logged("The reader left").filter((entry) => entry["path"] === "cam01")).toHaveLength(0);
	});
});
