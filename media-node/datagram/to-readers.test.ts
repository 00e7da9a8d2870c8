import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { Datagrams } from "../../test/support/driver-run.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { freeUdpPair } from "../../test/support/free-port.ts";
import { sample } from "../../test/support/media.ts";
import { RecordingPacketSink, RecordingUnitSink, recordingLogger } from "../../test/support/rtp-stream.ts";
import { PathConfigs } from "../paths/path-configs.ts";
import { PathTable } from "../paths/path-table.ts";
import { Sources } from "../paths/sources.ts";
import { mpegtsSource } from "./mpegts-source.ts";

it("readers of the path get packets and units of a transport stream that is sent to its port", async () => {
	const { rtp } = await freeUdpPair();
	const path = parsePathName("cam01");
	const clock = new FakeClock();
	const log = recordingLogger();
	const paths = { cam01: { source: `udp+mpegts://127.0.0.1:${rtp}` } };
	const configs = new PathConfigs({ pathDefaults: DEFAULT_PATH_CONFIG, paths });
	const table = new PathTable({ clock, log, configs });
	await using sources = new Sources({
		drivers: [mpegtsSource({ readBufferBytes: 0 })],
		table,
		clock,
		log,
		readTimeoutMs: 10_000,
		writeTimeoutMs: 10_000,
	});
	sources.apply(configs);
	const bytes = new Uint8Array(await readFile(await sample({ seconds: 3, size: "320x180", extension: "ts" })));
	// There is a key frame each second: one of them is in the second half.
	await using sender = await Datagrams.open();
	const send = async (from: number, to: number) => {
		for (let at = from; at < to; at += 1316) await sender.send(bytes.subarray(at, Math.min(at + 1316, to)), rtp);
	};
	const half = Math.floor(bytes.length / 2632) * 1316;
	// The socket opens when it does: until then nothing is there to send to.
	await eventually("the stream", async () => {
		if (table.list().length > 0) return true;
		await send(0, half);
		return false;
	});
	const stream = await table.read(path);
	expect(stream.tracks.map(({ codec }) => codec.name)).toEqual(["H264", "MPEG-4 Audio"]);
	expect(table.list()[0]?.publisher).toMatchObject({ role: "source" });
	const packets = new RecordingPacketSink();
	const units = new RecordingUnitSink();
	using _packets = stream.readPackets(packets);
	using _units = stream.readUnits(units);
	// A machine that is busy drops some of it.
	await eventually("packets and units of both tracks", async () => {
		await send(half, bytes.length);
		const ofPackets = new Set(packets.packets.map(({ track }) => track));
		const ofUnits = new Set(units.units.map(({ track }) => track.index));
		return ofPackets.size === 2 && ofUnits.size === 2;
	});
	table.close();
}, 30_000);
