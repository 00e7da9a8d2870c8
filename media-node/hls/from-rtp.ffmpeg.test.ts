import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { probePackets } from "../../test/support/ffmpeg.ts";
import { ffmpegPackets } from "../../test/support/ffmpeg-rtp.ts";
import { filmUnits } from "../../test/support/film-units.ts";
import { sample } from "../../test/support/media.ts";
import { Packaging } from "../../test/support/packaging.ts";
import { packetsOf, unitsOf } from "../../test/support/packetize.ts";
import { run } from "../../test/support/program.ts";
import { recordingLogger } from "../../test/support/rtp-stream.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Depacketizer, Packetizer } from "../rtp/access-unit.ts";
import { createDepacketizer } from "../rtp/depacketizer.ts";
import { createPacketizer } from "../rtp/packetizer.ts";
import { Stream } from "../stream/stream.ts";

const RTP = { payloadType: 96, encoding: "", fmtp: "" };
const FAST = ["-cpu-used", "8", "-g", "30", "-pix_fmt", "yuv420p", "-video_track_timescale", "90000"];

/** By an encoder of another make, and by a packetizer of another make where there is one. */
const CASES: readonly { name: string; codec: Codec; video: readonly string[]; codecs: string }[] = [
	{
		name: "VP9",
		codec: { name: "VP9" },
		video: ["libvpx-vp9", "-deadline", "realtime", ...FAST],
		codecs: "vp09.00.20.08",
	},
	{
		name: "AV1",
		codec: { name: "AV1" },
		video: ["libaom-av1", "-usage", "realtime", ...FAST],
		codecs: "av01.0.00M.08",
	},
];

async function packetsFrom(file: string, codec: Codec, frames: number): Promise<Uint8Array[]> {
	if (codec.name === "VP9") {
		const depacketizer = () => createDepacketizer(codec, RTP) as Depacketizer;
		return ffmpegPackets(file, (all) => unitsOf(depacketizer(), all).length >= frames - 1);
	}
	// ffmpeg 5.1 has no RTP for AV1.
	const { units } = await filmUnits(file);
	const sources = units.map(({ frames: obus, pts }) => ({ frames: obus, rtpTime: pts }));
	return packetsOf(createPacketizer(codec, 90_000) as Packetizer, sources);
}

it.each(CASES)(
	"makes segments of $name that comes by RTP, from the first key frame on",
	async ({ codec, video, codecs }) => {
		await using folder = await tempDir();
		const source = await sample({ video, audio: null, size: "320x180", seconds: 4 });
		const expected = await probePackets(source, "v:0");
		const packets = await packetsFrom(source, codec, expected.length);
		// The first packet is lost: nothing can be shown before the second key frame.
		const received = packets.slice(1);

		const config = { ...DEFAULT_PATH_CONFIG };
		const path_ = parsePathName("desk");
		const stream = new Stream({ path: path_, config, clock: new FakeClock(), log: recordingLogger() });
		const packaging = new Packaging({ segmentDurationMs: 1000 });
		stream.readUnits(packaging.packager);
		const publisher = { id: "p", protocol: "webrtc", remoteAddress: "127.0.0.1:5000" };
		const tracks = [{ index: 0, kind: "video" as const, codec, clockRate: 90_000, rtp: RTP }];
		const request = { path: stream.path, tracks, publisher, onEvicted: () => undefined };
		const publication = stream.publish(request, () => undefined);
		for (const packet of received) publication.writePacket(0, packet, 0, packet.length);
		publication.flush();
		publication.close();

		expect(packaging.skipped).toEqual([]);
		const parts = packaging.rendition("v0");
		expect(parts[0]?.part.rendition).toMatchObject({ codecs, width: 320, height: 180 });
		expect(parts[0]?.part.rendition.frameRate).toBeCloseTo(30, 1);
		expect(stream.tracks[0]?.codec).not.toEqual(codec);

		const file = path.join(folder.path, "v0.mp4");
		const files = packaging.files("v0");
		expect(files).toHaveLength(1);
		await writeFile(file, files[0] as Uint8Array);
		const packed = await probePackets(file, "v:0");
		const wanted = expected.slice(30, 30 + packed.length);
		expect(packed.length).toBeGreaterThanOrEqual(89);
		expect(packed.map(({ hash, key }) => [hash, key])).toEqual(wanted.map(({ hash, key }) => [hash, key]));
		expect(packed.map(({ pts }) => pts - (packed[0]?.pts ?? 0))).toEqual(
			wanted.map(({ pts }) => pts - (wanted[0]?.pts ?? 0)),
		);
		const probe = JSON.parse((await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", file])).toString());
		expect(probe.streams).toMatchObject([{ codec_name: codec.name.toLowerCase(), width: 320, height: 180 }]);
	},
);
