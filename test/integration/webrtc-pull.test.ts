/** Streams that go from one Sluice to another over WebRTC: pulled by WHEP, and sent on by WHIP. */

import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { run } from "../support/program.ts";
import { expectFilm } from "../support/rtsp-clients.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";

let film: string;

beforeAll(async () => {
	film = await sample({ seconds: 60, size: "320x240", audio: ["libopus", "-ar", "48000", "-ac", "2"] });
});

/** Configuration is YAML, which JSON is. */
function config(settings: Readonly<Record<string, unknown>>): string {
	return Object.entries(settings)
		.map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
		.join("\n");
}

const PASSWORD = "correct-horse-battery";
const OPEN = { user: "any", permissions: [{ action: "publish" }, { action: "read" }, { action: "metrics" }] };

/** The address of a path for WHIP and WHEP of the settings. */
function address(scheme: string, sluice: Sluice, rest: string): string {
	return `${scheme}://127.0.0.1:${sluice.ports.webrtc}/${rest}`;
}

describe("a source of WHEP", () => {
	it("is pulled with a token, byte for byte, and comes back after its server was away", async () => {
		await using there = await tempDir();
		await using here = await tempDir();
		const users = [
			{ user: "any", permissions: [{ action: "publish" }, { action: "metrics" }] },
			{ user: "puller", pass: PASSWORD, permissions: [{ action: "read" }] },
		];
		let origin = await Sluice.start({ folder: there.path, config: config({ authInternalUsers: users }) });
		let camera = publish(film, origin.rtsp("cam01"));
		try {
			await origin.ready("cam01");
			const source = address("whep", origin, "cam01/whep");
			const paths = {
				pulled: { source, whepBearerToken: `puller:${PASSWORD}` },
				basic: { source: source.replace("://", `://puller:${PASSWORD}@`), sourceOnDemand: true },
				stranger: { source, whepBearerToken: "puller:wrong-wrong-wrong" },
			};
			await using sluice = await Sluice.start({ folder: here.path, config: config({ paths }) });
			await sluice.ready("pulled");
			const read = (name: string, out: string) =>
				expectFilm(sluice.rtsp(name), { film, out: path.join(here.path, out), keysGrow: true });
			await read("pulled", "before.mkv");
			await read("basic", "demand.mkv");

			const { ports } = origin;
			await camera.stop("SIGKILL");
			await origin.kill();
			origin = await Sluice.start({ folder: there.path, config: config({ authInternalUsers: users }) }, ports);
			camera = publish(film, origin.rtsp("cam01"));
			await origin.ready("cam01");
			await eventually("media flow again", () => read("pulled", "after.mkv").then(() => true), { timeoutMs: 60_000 });

			const said = sluice.program.output.toString() + sluice.program.errors;
			expect(said).toMatch(/The source of stranger failed: .* wants other credentials/);
			expect(said).not.toContain(PASSWORD);
			expect(said).not.toContain("wrong-wrong");
		} finally {
			await camera.stop("SIGKILL");
			await origin.stop();
		}
	}, 180_000);
});

describe("forwarding by WHIP", () => {
	it("makes Opus of sound that WebRTC does not carry", async () => {
		await using there = await tempDir();
		await using here = await tempDir();
		await using target = await Sluice.start({ folder: there.path, config: config({ authInternalUsers: [OPEN] }) });
		const paths = { cam01: { forward: [{ dest: address("whip", target, "aac/whip") }] } };
		await using sluice = await Sluice.start({
			folder: here.path,
			config: config({ authInternalUsers: [OPEN], paths }),
		});
		await using _camera = publish(await sample({ seconds: 60, size: "320x240" }), sluice.rtsp("cam01"));
		await target.ready("aac", 20_000);
		const probe = ["-v", "error", "-rtsp_transport", "tcp", "-show_streams", "-of", "json", target.rtsp("aac")];
		const { streams } = JSON.parse((await run("ffprobe", probe)).toString()) as { streams: { codec_name: string }[] };
		expect(streams.map((stream) => stream.codec_name).sort()).toEqual(["h264", "opus"]);
		const heard = [
			"-v",
			"error",
			"-rtsp_transport",
			"tcp",
			"-i",
			target.rtsp("aac"),
			"-vn",
			"-t",
			"1",
			"-f",
			"null",
			"-",
		];
		await run("ffmpeg", heard, 20_000);
	}, 120_000);

	it("sends a path on with a token, byte for byte, to the address that its variables give", async () => {
		await using there = await tempDir();
		await using here = await tempDir();
		const users = [
			{ user: "any", permissions: [{ action: "read" }, { action: "metrics" }] },
			{ user: "pusher", pass: PASSWORD, permissions: [{ action: "publish" }] },
		];
		await using target = await Sluice.start({ folder: there.path, config: config({ authInternalUsers: users }) });
		const whipBearerToken = `pusher:${PASSWORD}`;
		const paths = {
			"~^cam(.+)$": {
				forward: [
					{ dest: address("whip", target, "$MTX_PATH/of/$G1/whip"), whipBearerToken },
					{ dest: address("whip", target, "refused/whip"), whipBearerToken: "pusher:wrong-wrong-wrong" },
				],
			},
		};
		await using sluice = await Sluice.start({
			folder: here.path,
			config: config({ authInternalUsers: [OPEN], paths }),
		});
		await using _camera = publish(film, sluice.rtsp("cam01"));
		await target.ready("cam01/of/01", 20_000);
		await expectFilm(target.rtsp("cam01/of/01"), { film, out: path.join(here.path, "out.mkv"), keysGrow: true });

		const labels = { path: "cam01", protocol: "whip" };
		expect(await sluice.metric("forward_dests", { ...labels, state: "forwarding" })).toBe(1);
		expect(await sluice.metric("forward_dests", { ...labels, state: "error" })).toBe(1);
		expect(await sluice.metric("forward_dests_outbound_bytes", labels)).toBeGreaterThan(10_000);
		expect(await sluice.metric("paths_readers", { name: "cam01" })).toBe(0);
		const said = sluice.program.output.toString() + sluice.program.errors;
		expect(said).toMatch(/A stream is not forwarded: .* wants other credentials/);
		expect(said).not.toContain(PASSWORD);
		expect(said).not.toContain("wrong-wrong");
	}, 120_000);
});
