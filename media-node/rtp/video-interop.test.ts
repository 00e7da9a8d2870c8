import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { probePackets } from "../../test/support/ffmpeg.ts";
import { ffmpegPackets } from "../../test/support/ffmpeg-rtp.ts";
import { sample } from "../../test/support/media.ts";
import { packetsOf, unitsOf } from "../../test/support/packetize.ts";
import { run } from "../../test/support/program.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Depacketizer, Packetizer } from "./access-unit.ts";
import { createDepacketizer } from "./depacketizer.ts";
import { createPacketizer } from "./packetizer.ts";
import { startsRandomAccess } from "./random-access.ts";
import { newRtpPacket, readRtpPacket } from "./rtp-packet.ts";

const FAST = ["-deadline", "realtime", "-cpu-used", "8"];
const RATE = ["-b:v", "1M", "-g", "25"];
const AV1: Codec = { name: "AV1" };
const MJPEG = ["mjpeg", "-huffman", "default", "-pix_fmt"];

const CASES: readonly (readonly [name: string, codec: Codec, encoder: readonly string[]])[] = [
	["VP8", { name: "VP8" }, ["libvpx", ...RATE, ...FAST]],
	["VP8 with hidden frames", { name: "VP8" }, ["libvpx", ...RATE, "-auto-alt-ref", "1", "-lag-in-frames", "16"]],
	["VP9", { name: "VP9" }, ["libvpx-vp9", ...RATE, ...FAST]],
	["VP9 with superframes", { name: "VP9" }, ["libvpx-vp9", ...RATE, "-cpu-used", "8", "-lag-in-frames", "16"]],
	["MPEG-4 Video", { name: "MPEG-4 Video", config: null }, ["mpeg4", ...RATE, "-bf", "2"]],
	["MPEG-2 Video", { name: "MPEG-1/2 Video" }, ["mpeg2video", ...RATE, "-bf", "2"]],
	["MPEG-1 Video", { name: "MPEG-1/2 Video" }, ["mpeg1video", ...RATE, "-bf", "2"]],
];
const PICTURES: readonly (readonly [pixels: string, picture: readonly string[]])[] = [
	["4:2:0", [...MJPEG, "yuvj420p"]],
];

const fileOf = (video: readonly string[]) =>
	sample({ seconds: 2, rate: "25", size: "320x240", audio: null, video, extension: "mkv" });
const depacketizerOf = (codec: Codec) => createDepacketizer(codec, { encoding: "", fmtp: "" }) as Depacketizer;
const packetizerOf = (codec: Codec) => createPacketizer(codec, 90_000) as Packetizer;
const sha256 = (bytes: Uint8Array) => `SHA256:${createHash("sha256").update(bytes).digest("hex")}`;

/** For each packet whether it is said to be where a reader can begin. */
function starts(codec: Codec, packets: readonly Uint8Array[]): boolean[] {
	const header = newRtpPacket();
	return packets.map((packet) => {
		readRtpPacket(header, packet, 0, packet.length);
		return startsRandomAccess(codec.name, packet, header.payloadOffset, header.payloadLength);
	});
}

/** The pictures of an input as hashes of what a decoder makes of them. */
async function decoded(input: string, options: readonly string[] = []): Promise<string[]> {
	const out = await run("ffmpeg", ["-v", "error", ...options, "-i", input, "-f", "framemd5", "-"]);
	const lines = out.toString().split("\n");
	return lines.filter((line) => /^\d/.test(line)).map((line) => line.split(",").at(-1)!.trim());
}

describe("packets of ffmpeg", () => {
	test.each(CASES)(
		"of %s give the frames of the file, and ours of these frames give them again",
		async (_, codec, encoder) => {
			const file = await fileOf(encoder);
			const expected = await probePackets(file, "v:0");
			const hashes = expected.map(({ hash }) => hash);
			const packets = await ffmpegPackets(
				file,
				(all) => unitsOf(depacketizerOf(codec), all).length === expected.length,
			);
			const depacketizer = depacketizerOf(codec);
			const units = unitsOf(depacketizer, packets);
			expect(units.map(({ frames }) => frames.map(sha256).join())).toEqual(hashes);
			expect(units.map(({ randomAccess }) => randomAccess)).toEqual(expected.map(({ key }) => key));
			expect(starts(codec, packets).filter(Boolean)).toHaveLength(expected.filter(({ key }) => key).length);
			expect(depacketizer.dropped).toBe(0);

			const ours = packetsOf(packetizerOf(codec), units);
			expect(Math.max(...ours.map(({ length }) => length))).toBeLessThanOrEqual(1_212);
			expect(unitsOf(depacketizerOf(codec), ours)).toEqual(units);
		},
	);

	test.each(PICTURES)("of M-JPEG, %s, give pictures that look the same", async (_, encoder) => {
		const codec: Codec = { name: "M-JPEG" };
		const file = await fileOf(encoder);
		const count = (await probePackets(file, "v:0")).length;
		const packets = await ffmpegPackets(file, (all) => unitsOf(depacketizerOf(codec), all).length === count);
		const units = unitsOf(depacketizerOf(codec), packets);
		await using dir = await tempDir();
		const joined = path.join(dir.path, "pictures.mjpeg");
		await writeFile(joined, Buffer.concat(units.flatMap(({ frames }) => frames)));
		expect(await decoded(joined, ["-f", "mjpeg"])).toEqual(await decoded(file));
		expect(unitsOf(depacketizerOf(codec), packetsOf(packetizerOf(codec), units))).toEqual(units);
	});
});

/** Packets as a file of GStreamer's `rtpstreamdepay` and `rtpstreampay` has them: RFC 4571. */
function framed(packets: readonly Uint8Array[]): Buffer {
	return Buffer.concat(packets.flatMap((packet) => [Buffer.of(packet.length >> 8, packet.length), packet]));
}

function unframed(stream: Buffer): Uint8Array[] {
	const packets: Uint8Array[] = [];
	for (let at = 0; at < stream.length; at += 2 + stream.readUInt16BE(at)) {
		packets.push(Uint8Array.from(stream.subarray(at + 2, at + 2 + stream.readUInt16BE(at))));
	}
	return packets;
}

const hasGStreamer = await run("gst-launch-1.0", ["--version"]).then(
	() => true,
	() => false,
);

describe.runIf(hasGStreamer)("GStreamer", () => {
	/** What comes out of a pipeline that begins with a file of `input`. */
	async function through(input: Uint8Array, pipeline: string): Promise<Buffer> {
		await using dir = await tempDir();
		const [from, to] = [path.join(dir.path, "in"), path.join(dir.path, "out")];
		await writeFile(from, input);
		const elements = `filesrc location=${from} ! ${pipeline} ! filesink location=${to}`;
		await run("gst-launch-1.0", ["-q", ...elements.split(" ")]);
		return readFile(to);
	}

	const caps = (encoding: string) =>
		`application/x-rtp-stream,media=video,clock-rate=90000,encoding-name=${encoding} ! rtpstreamdepay`;

	test.each([
		[...CASES[0]!, "VP8", "rtpvp8depay"],
		[...CASES[2]!, "VP9", "rtpvp9depay"],
		[...CASES[4]!, "MP4V-ES", "rtpmp4vdepay"],
		[...CASES[5]!, "MPV", "rtpmpvdepay"],
		[...CASES[6]!, "MPV", "rtpmpvdepay"],
	] as const)("reads our packets of %s", async (_, codec, encoder, encoding, element) => {
		const sent = await ffmpegPackets(await fileOf(encoder), (all) => unitsOf(depacketizerOf(codec), all).length === 50);
		const units = unitsOf(depacketizerOf(codec), sent);
		const out = await through(framed(packetsOf(packetizerOf(codec), units)), `${caps(encoding)} ! ${element}`);
		expect(sha256(out)).toEqual(sha256(Buffer.concat(units.flatMap(({ frames }) => frames))));
	});

	test.each(["I420", "Y42B"])("and we understand each other's packets of M-JPEG in %s", async (format) => {
		const codec: Codec = { name: "M-JPEG" };
		const source = `videotestsrc num-buffers=5 ! video/x-raw,format=${format},width=328,height=248 ! jpegenc`;
		await using dir = await tempDir();
		const [pictures, stream] = [path.join(dir.path, "pictures.mjpeg"), path.join(dir.path, "stream")];
		const elements =
			`${source} ! tee name=t ! queue ! filesink location=${pictures} ` +
			`t. ! queue ! rtpjpegpay ! rtpstreampay ! filesink location=${stream}`;
		await run("gst-launch-1.0", ["-q", ...elements.split(" ")]);
		const units = unitsOf(depacketizerOf(codec), unframed(await readFile(stream)));
		expect(units).toHaveLength(5);
		const joined = path.join(dir.path, "joined.mjpeg");
		await writeFile(joined, Buffer.concat(units.flatMap(({ frames }) => frames)));
		const expected = await decoded(pictures, ["-f", "mjpeg"]);
		expect(await decoded(joined, ["-f", "mjpeg"])).toEqual(expected);

		const ours = packetsOf(packetizerOf(codec), units);
		await writeFile(joined, await through(framed(ours), `${caps("JPEG")} ! rtpjpegdepay`));
		expect(await decoded(joined, ["-f", "mjpeg"])).toEqual(expected);
	});
});

test("an AV1 film goes through packets as it is", async () => {
	const file = await fileOf(["libaom-av1", "-cpu-used", "8", "-usage", "realtime", ...RATE]);
	const expected = await probePackets(file, "v:0");
	const raw = await run("ffmpeg", ["-v", "error", "-i", file, "-c", "copy", "-f", "obu", "-"]);
	const films = temporalUnits(raw);
	expect(films).toHaveLength(expected.length);
	const sent = films.map((frames, i) => ({ frames, rtpTime: i * 3_600 }));
	const packets = packetsOf(packetizerOf(AV1), sent);
	const depacketizer = depacketizerOf(AV1);
	const units = unitsOf(depacketizer, packets);
	expect(units.map(({ frames, rtpTime }) => ({ frames, rtpTime }))).toEqual(sent);
	expect(units.map(({ randomAccess }) => randomAccess)).toEqual(expected.map(({ key }) => key));
	expect(starts(AV1, packets).filter(Boolean)).toHaveLength(expected.filter(({ key }) => key).length);
	expect(depacketizer.dropped).toBe(0);
});

/** The OBUs of a low-overhead stream (AV1 specification §5.2) without size field, for each temporal delimiter. */
function temporalUnits(stream: Uint8Array): Uint8Array[][] {
	const units: Uint8Array[][] = [];
	for (let at = 0; at < stream.length; ) {
		const first = stream[at]!;
		const header = first & 0x04 ? 2 : 1;
		let size = 0;
		let to = at + header;
		for (let shift = 0; ; shift += 7) {
			const byte = stream[to++]!;
			size += (byte & 0x7f) << shift;
			if (byte < 0x80) break;
		}
		const obu = Uint8Array.of(
			first & ~0x02,
			...stream.subarray(at + 1, at + header),
			...stream.subarray(to, to + size),
		);
		if (first >> 3 === 2) units.push([]);
		else units.at(-1)!.push(obu);
		at = to + size;
	}
	return units;
}
