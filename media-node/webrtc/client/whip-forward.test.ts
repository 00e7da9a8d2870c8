import { expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { quiet } from "../../../test/support/control-api.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { Camera, H264_TRACK } from "../../../test/support/rtp-stream.ts";
import { WhipServerDouble } from "../../../test/support/whip-server-double.ts";
import { PathConfigs } from "../../paths/path-configs.ts";
import { PathTable } from "../../paths/path-table.ts";
import { whipForward } from "./whip-forward.ts";

const CAM = parsePathName("cam01");

it("sends a stream on, and ends with the stream", async () => {
	await using server = await WhipServerDouble.open();
	const configs = new PathConfigs({ pathDefaults: DEFAULT_PATH_CONFIG, paths: { all_others: {} } });
	await using table = new PathTable({ clock: systemClock, log: quiet, configs });
	const publication = await table.publish({
		path: CAM,
		tracks: [H264_TRACK],
		publisher: { id: "1", protocol: "rtsp", remoteAddress: "10.0.0.1:1" },
		onEvicted: () => {},
	});
	const camera = new Camera(publication);
	const stream = await table.read(CAM);
	let sentBytes = () => -1;
	const hosts = () => ({ fromInterfaces: true, interfaces: [], additionalHosts: [] });
	const settings = { dest: `whip://${server.host}/x/whip`, destFingerprint: "", whipBearerToken: "t0k" };
	const run = whipForward({ hosts, readBufferBytes: 0, opusOf: () => null }).run(
		{
			...{ url: settings.dest, settings, stream, clock: systemClock, log: quiet, timeoutMs: 10_000 },
			onForwarding: (bytesSent) => {
				sentBytes = bytesSent;
			},
		},
		new AbortController().signal,
	);
	const ended = run.then(
		() => null,
		(error: unknown) => error,
	);
	await eventually("it forwards", () => sentBytes() >= 0);
	let timestamp = 0;
	await eventually("media", () => {
		timestamp += 3_000;
		camera.key(timestamp);
		return (server.sessions[0]?.packets.length ?? 0) > 3;
	});
	expect(server.sessions[0]?.codecs).toEqual(["H264"]);
	expect(sentBytes()).toBeGreaterThan(100);
	expect(table.list()[0]?.readers).toEqual([]);
	table.close();
	expect(await ended).toMatchObject({ code: expect.stringMatching(/^(?:stream|session)\./) });
	expect(server.requests).toEqual([
		{ method: "POST", authorization: "Bearer t0k" },
		{ method: "DELETE", authorization: "Bearer t0k" },
	]);
});
