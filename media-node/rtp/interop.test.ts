import { createHash } from "node:crypto";
import dgram from "node:dgram";
import { describe, expect, test } from "vitest";
import {
	AacHbrPacketizer,
	H264Packetizer,
	H264RtpPayload,
	H265Packetizer,
	H265RtpPayload,
	OpusPacketizer,
} from "werift";
import { encodeVideo, encodeVideoFile } from "../../test/support/encoded-video.ts";
import { eventually } from "../../test/support/eventually.ts";
import { freeUdpPair } from "../../test/support/free-port.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { sample } from "../../test/support/media.ts";
import { unitsOf } from "../../test/support/packetize.ts";
import { run } from "../../test/support/program.ts";
import { parseAdtsHeader } from "../codecs/aac.ts";
import { splitAnnexB } from "../codecs/annexb.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Depacketizer } from "./access-unit.ts";
import { createDepacketizer } from "./depacketizer.ts";
import { packetizeH264 } from "./packetize/h264.ts";
import { packetizeH265 } from "./packetize/h265.ts";

const H264: Codec = { name: "H264", sps: null, pps: null };
const H265: Codec = { name: "H265", vps: null, sps: null, pps: null };
const AAC: Codec = { name: "MPEG-4 Audio", config: bytesOfHex("1190") };
const HBR = "sizelength=13; indexlength=3; indexdeltalength=3";
/** Large enough for slices in many fragments. */
const BITRATE = ["-b:v", "1M", "-g", "25"];

const depacketizerOf = (codec: Codec, fmtp = "") => createDepacketizer(codec, { encoding: "", fmtp }) as Depacketizer;
const isSlice = (codec: "h264" | "hevc") => (nal: Uint8Array) =>
	codec === "h264" ? (nal[0]! & 0x1f) <= 5 : nal[0]! >> 1 < 32;

/** Frames as short texts: a difference between megabytes is told in a line. */
const digests = (frames: readonly Uint8Array[]) =>
	frames.map((frame) => `${frame.length}:${createHash("sha256").update(frame).digest("hex").slice(0, 8)}`);

/** The RTP packets that ffmpeg sends of a file. */
async function ffmpegPackets(file: string, isEnough: (packets: Buffer[]) => boolean) {
	const ports = await freeUdpPair();
	const packets: Buffer[] = [];
	const rtp = dgram.createSocket({ type: "udp4", recvBufferSize: 4_000_000 }, (packet) => packets.push(packet));
	const rtcp = dgram.createSocket("udp4");
	try {
		await new Promise<void>((resolve) => rtp.bind(ports.rtp, "127.0.0.1", resolve));
		await new Promise<void>((resolve) => rtcp.bind(ports.rtcp, "127.0.0.1", resolve));
		const url = `rtp://127.0.0.1:${ports.rtp}?rtcpport=${ports.rtcp}&pkt_size=1200`;
		await run("ffmpeg", ["-v", "error", "-i", file, "-c", "copy", "-f", "rtp", url]);
		await eventually("ffmpeg's last packet", () => isEnough(packets));
	} finally {
		rtp.close();
		rtcp.close();
	}
	return packets;
}

describe("packets of ffmpeg", () => {
	test.each([
		["h264", H264],
		["hevc", H265],
	] as const)("of %s give the access units of the file", async (format, codec) => {
		const options = [...BITRATE, "-bf", "2", ...(format === "hevc" ? ["-x265-params", "log-level=none"] : [])];
		const expected = await encodeVideo(format, options);
		const file = await encodeVideoFile(format, options);
		const packets = await ffmpegPackets(file, (all) => unitsOf(depacketizerOf(codec), all).length === expected.length);
		const depacketizer = depacketizerOf(codec);
		const units = unitsOf(depacketizer, packets);
		// Parameter sets, and x265's SEI, are in the file's header alone, and so in the SDP.
		const slice = isSlice(format);
		expect(units.map(({ frames }) => digests(frames.filter(slice)))).toEqual(
			expected.map(({ frames }) => digests(frames.filter(slice))),
		);
		expect(units.map(({ randomAccess }) => randomAccess)).toEqual(expected.map(({ key }) => key));
		const first = units[0]!.rtpTime - expected[0]!.pts;
		expect(units.map(({ rtpTime }) => (rtpTime - first) >>> 0)).toEqual(expected.map(({ pts }) => pts));
		expect(depacketizer.dropped).toBe(0);
	});

	test("of AAC give the frames of the file", async () => {
		const file = await sample({ seconds: 2, video: null });
		const adts = await run("ffmpeg", ["-v", "error", "-i", file, "-c", "copy", "-f", "adts", "-"]);
		const expected: Uint8Array[] = [];
		for (let at = 0; at < adts.length; ) {
			const { headerBytes, frameBytes } = parseAdtsHeader(adts, at);
			expected.push(Uint8Array.from(adts.subarray(at + headerBytes, at + frameBytes)));
			at += frameBytes;
		}
		const framesOf = (packets: Buffer[]) => unitsOf(depacketizerOf(AAC, HBR), packets).flatMap(({ frames }) => frames);
		// It gathers seven frames for a packet, and leaves out what it has gathered at the end.
		const packets = await ffmpegPackets(file, (all) => framesOf(all).length >= expected.length - 7);
		const frames = framesOf(packets);
		expect(digests(frames)).toEqual(digests(expected.slice(0, frames.length)));
	});
});

describe("werift", () => {
	const nals264 = [bytesOfHex("6742c01e"), bytesOfHex("68ce"), new Uint8Array(5_000).fill(0x65)];
	const nals265 = [bytesOfHex("40010c"), bytesOfHex("420101"), new Uint8Array(5_000).fill(0x26).fill(0x81, 1)];
	const annexB = (nals: readonly Uint8Array[]) => Buffer.concat(nals.flatMap((nal) => [Buffer.of(0, 0, 0, 1), nal]));

	test("its packets give the same units", () => {
		const h264 = new H264Packetizer().packetize(annexB(nals264), 9).map((packet) => packet.serialize());
		expect(unitsOf(depacketizerOf(H264), h264)).toEqual([{ rtpTime: 9, frames: nals264, randomAccess: true }]);
		const h265 = new H265Packetizer().packetize(annexB(nals265), 9).map((packet) => packet.serialize());
		expect(unitsOf(depacketizerOf(H265), h265)).toEqual([{ rtpTime: 9, frames: nals265, randomAccess: true }]);
		const frame = Buffer.alloc(3_000, 5);
		const aac = new AacHbrPacketizer().packetize(frame, 9).map((packet) => packet.serialize());
		expect(unitsOf(depacketizerOf(AAC, HBR), aac)).toEqual([
			{ rtpTime: 9, frames: [Uint8Array.from(frame)], randomAccess: true },
		]);
		const opus = new OpusPacketizer().packetize(Buffer.of(0xf8, 1), 9).map((packet) => packet.serialize());
		expect(unitsOf(depacketizerOf({ name: "Opus", channels: 1 }), opus)).toHaveLength(1);
	});

	test("it reads our packets", () => {
		const read = (
			payloads: readonly Uint8Array[],
			parse: (payload: Buffer, fragment?: Buffer) => { payload: Buffer; fragment?: Buffer },
		) => {
			let fragment: Buffer | undefined;
			const out: Buffer[] = [];
			for (const payload of payloads) {
				const parsed = parse(Buffer.from(payload), fragment);
				fragment = parsed.fragment;
				if (parsed.payload !== undefined) out.push(parsed.payload);
			}
			return splitAnnexB(Buffer.concat(out)).map((nal) => Uint8Array.from(nal));
		};
		const h264 = packetizeH264(nals264, 1_200).map(({ bytes }) => bytes);
		expect(read(h264, (payload, fragment) => H264RtpPayload.deSerialize(payload, fragment))).toEqual(nals264);
		const h265 = packetizeH265(nals265, 1_200).map(({ bytes }) => bytes);
		expect(read(h265, (payload, fragment) => H265RtpPayload.deSerialize(payload, fragment))).toEqual(nals265);
	});
});
