import { createHash } from "node:crypto";
import dgram from "node:dgram";
import { describe, expect, test } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { freeUdpPair } from "../../test/support/free-port.ts";
import { packetsOf, unitsOf } from "../../test/support/packetize.ts";
import { Program, run } from "../../test/support/program.ts";
import { parseAdtsHeader } from "../codecs/aac.ts";
import { readAc3Header } from "../codecs/ac3.ts";
import { createDepacketizer } from "./depacketizer.ts";
import { formatOf } from "./format.ts";
import { createPacketizer } from "./packetizer.ts";

const digest = (bytes: Uint8Array) => `${bytes.length}:${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}`;

/** Sound whose every second differs, and each channel. */
const SOURCE = ["-v", "error", "-f", "lavfi", "-i", "aevalsrc=0.3*sin(3000*t*t)|0.3*sin(500*t*t):d=1.5"];

/** Gathers what comes to an RTP port while `send` runs, until `isEnough`. */
async function received(
	send: (port: number, rtcp: number) => Promise<unknown>,
	isEnough: (packets: Buffer[]) => boolean,
) {
	const ports = await freeUdpPair();
	const packets: Buffer[] = [];
	const rtp = dgram.createSocket({ type: "udp4", recvBufferSize: 4_000_000 }, (packet) => packets.push(packet));
	const rtcp = dgram.createSocket("udp4");
	try {
		await new Promise<void>((resolve) => rtp.bind(ports.rtp, "127.0.0.1", resolve));
		await new Promise<void>((resolve) => rtcp.bind(ports.rtcp, "127.0.0.1", resolve));
		await send(ports.rtp, ports.rtcp);
		await eventually("the last packet", () => isEnough(packets));
	} finally {
		rtp.close();
		rtcp.close();
	}
	return packets;
}

/** What an SDP that ffmpeg writes says of its only track. */
function formatIn(sdp: string) {
	const payloadType = Number(/^m=\w+ \d+ RTP\/AVP (\d+)/m.exec(sdp)?.[1]);
	const rtpmap = /^a=rtpmap:\d+ (.*)$/m.exec(sdp)?.[1]?.trim() ?? null;
	const fmtp = /^a=fmtp:\d+ (.*)$/m.exec(sdp)?.[1]?.trim() ?? "";
	const format = formatOf({ payloadType, rtpmap, fmtp });
	if (format === null) throw new Error(`No format in ${sdp}`);
	return { ...format, fmtp, depacketizer: () => createDepacketizer(format.codec, { ...format, fmtp })! };
}

const PACKET_BYTES = 700;
const ffmpegUrl = (port: number, rtcp: number) => `rtp://127.0.0.1:${port}?rtcpport=${rtcp}&pkt_size=${PACKET_BYTES}`;

type Case = {
	readonly name: string;
	readonly output: readonly string[];
	/** ffmpeg's muxer of the same without RTP. */
	readonly muxer: readonly string[];
	readonly codec: object;
	/** Ticks that 1.5 seconds are. */
	readonly ticks: number;
};

const CASES: readonly Case[] = [
	{
		name: "MP3 in fragments",
		output: ["-c:a", "libmp3lame", "-b:a", "320k", "-ar", "44100"],
		muxer: ["-write_xing", "0", "-id3v2_version", "0", "-f", "mp3"],
		...{ codec: { name: "MPEG-1/2 Audio" }, ticks: 135_000 },
	},
	{
		name: "layer II, several frames a packet",
		output: ["-c:a", "mp2", "-b:a", "64k", "-ar", "48000", "-ac", "1"],
		muxer: ["-f", "mp2"],
		...{ codec: { name: "MPEG-1/2 Audio" }, ticks: 135_000 },
	},
	{
		name: "G.722",
		output: ["-c:a", "g722", "-ar", "16000", "-ac", "1"],
		muxer: ["-f", "g722"],
		...{ codec: { name: "G722", channels: 1 }, ticks: 12_000 },
	},
	{
		name: "G.726 of 32 kbit/s",
		output: ["-c:a", "g726le", "-b:a", "32k", "-ar", "8000", "-ac", "1"],
		muxer: ["-f", "g726le"],
		...{ codec: { name: "G726", bitRate: 32, packing: "rfc3551" }, ticks: 12_000 },
	},
	{
		name: "G.726 of 24 kbit/s, of ATM",
		output: ["-c:a", "g726", "-b:a", "24k", "-ar", "8000", "-ac", "1"],
		muxer: ["-f", "g726"],
		...{ codec: { name: "G726", bitRate: 24, packing: "aal2" }, ticks: 12_000 },
	},
	{
		name: "L16 of a static payload type",
		output: ["-c:a", "pcm_s16be", "-ar", "44100", "-ac", "2"],
		muxer: ["-f", "s16be"],
		...{ codec: { name: "LPCM", bitDepth: 16, sampleRate: 44_100, channels: 2 }, ticks: 66_150 },
	},
	{
		name: "L24",
		output: ["-c:a", "pcm_s24be", "-ar", "48000", "-ac", "2"],
		muxer: ["-f", "s24be"],
		...{ codec: { name: "LPCM", bitDepth: 24, sampleRate: 48_000, channels: 2 }, ticks: 72_000 },
	},
];

describe("packets of ffmpeg", () => {
	test.each(CASES)("of $name give the bytes of the file", async ({ output, muxer, codec, ticks }) => {
		const expected = await run("ffmpeg", [...SOURCE, ...output, "-bitexact", ...muxer, "-"]);
		let sdp = "";
		const bytesIn = (packets: Buffer[]) =>
			Buffer.concat(unitsOf(formatIn(sdp).depacketizer(), packets).flatMap(({ frames }) => frames));
		const packets = await received(
			async (port, rtcp) => {
				const args = [...SOURCE, ...output, "-bitexact", "-f", "rtp", ffmpegUrl(port, rtcp)];
				sdp = (await run("ffmpeg", args)).toString();
			},
			// It gathers small frames for a packet, and leaves out what it has gathered at the end.
			(all) => bytesIn(all).length >= expected.length - PACKET_BYTES,
		);
		const format = formatIn(sdp);
		expect(format.codec).toEqual(codec);
		const bytes = bytesIn(packets);
		expect(digest(bytes)).toBe(digest(expected.subarray(0, bytes.length)));

		// Packed by us they are the same again, and their times are those of the frames.
		const units = unitsOf(format.depacketizer(), packets);
		const begin = units[0]!.rtpTime;
		const all = [{ frames: units.flatMap(({ frames }) => frames), rtpTime: begin }];
		const again = unitsOf(
			format.depacketizer(),
			packetsOf(createPacketizer(format.codec, format.clockRate)!, all, { maxPayloadBytes: 500 }),
		);
		expect(digest(Buffer.concat(again.flatMap(({ frames }) => frames)))).toBe(digest(bytes));
		const last = again.at(-1)!.rtpTime - begin;
		expect(last).toBeGreaterThan(ticks * 0.9);
		expect(last).toBeLessThan(ticks * 1.06);
	});

	test("of LATM give the frames of the ADTS stream", async () => {
		const encoder = ["-c:a", "aac", "-b:a", "256k", "-ar", "48000", "-ac", "2", "-bitexact"];
		const adts = await run("ffmpeg", [...SOURCE, ...encoder, "-f", "adts", "-"]);
		const expected: string[] = [];
		for (let at = 0; at < adts.length; ) {
			const { headerBytes, frameBytes } = parseAdtsHeader(adts, at);
			expected.push(digest(adts.subarray(at + headerBytes, at + frameBytes)));
			at += frameBytes;
		}
		let sdp = "";
		const units = (packets: Buffer[]) => unitsOf(formatIn(sdp).depacketizer(), packets);
		const packets = await received(
			async (port, rtcp) => {
				const args = [...SOURCE, ...encoder, "-f", "rtp", "-rtpflags", "latm", ffmpegUrl(port, rtcp)];
				sdp = (await run("ffmpeg", args)).toString();
			},
			(all) => units(all).length >= expected.length,
		);
		expect(formatIn(sdp)).toMatchObject({ codec: { name: "MPEG-4 Audio" }, encoding: "MP4A-LATM/48000/2" });
		expect(units(packets).map(({ frames }) => frames.map(digest))).toEqual(expected.map((one) => [one]));
	});

	test("of a transport stream give the packets of the stream", async () => {
		let sdp = "";
		const packets = await received(
			async (port, rtcp) => {
				const args = [...SOURCE, "-c:a", "mp2", "-f", "rtp_mpegts", ffmpegUrl(port, rtcp)];
				await run("ffmpeg", args);
				sdp = "m=video 0 RTP/AVP 33\n";
			},
			(all) => all.length > 20,
		);
		const depacketizer = formatIn(sdp).depacketizer();
		const units = unitsOf(depacketizer, packets);
		expect(units).toHaveLength(packets.length);
		expect(depacketizer.dropped).toBe(0);
		const stream = Buffer.concat(units.flatMap(({ frames }) => frames));
		const again = packetsOf(createPacketizer({ name: "MPEG-TS" }, 90_000)!, units);
		expect(unitsOf(depacketizer, again).flatMap(({ frames }) => frames)).toEqual(units.flatMap(({ frames }) => frames));
		const probe = ["-v", "error", "-f", "mpegts", "-show_entries", "stream=codec_name", "-of", "csv=p=0", "-"];
		expect((await new Program("ffprobe", probe, { input: stream }).succeed()).toString()).toContain("mp2");
	});
});

describe("packets of GStreamer", () => {
	/** What a pipeline sends; `rtp` is a payloader with its options. */
	const gst = (source: string, rtp: string, isEnough: (packets: Buffer[]) => boolean) =>
		received(
			(port) =>
				run("gst-launch-1.0", [
					"-q",
					...`${source} ! ${rtp} ! udpsink host=127.0.0.1 port=${port} sync=false`.split(" "),
				]),
			isEnough,
		);
	const TONE = "audiotestsrc num-buffers=60 samplesperbuffer=1024 ! audio/x-raw,rate=48000";

	test.each([
		["AC-3, several frames a packet", "32000", 1_400],
		["AC-3 in fragments", "448000", 500],
	])("of %s give whole frames, one behind the other", async (_, bitRate, mtu) => {
		const codec = { name: "AC3", sampleRate: 48_000, channels: 2 } as const;
		const depacketizer = () => createDepacketizer(codec, { encoding: "AC3/48000/2", fmtp: "" })!;
		const source = `${TONE},channels=2 ! avenc_ac3 bitrate=${bitRate} ! ac3parse`;
		const framesIn = (all: Buffer[]) => unitsOf(depacketizer(), all).flatMap(({ frames }) => frames);
		const packets = await gst(source, `rtpac3pay mtu=${mtu}`, (all) => framesIn(all).length >= 30);
		const reader = depacketizer();
		const units = unitsOf(reader, packets);
		expect(reader.dropped).toBe(0);
		for (const [i, unit] of units.entries()) {
			for (const frame of unit.frames) expect(readAc3Header(frame)?.frameBytes).toBe(frame.length);
			const next = units[i + 1];
			if (next !== undefined)
				expect(Math.abs(next.rtpTime - unit.rtpTime - unit.frames.length * 1_536)).toBeLessThan(4);
		}
	});

	test("of Opus with six channels are in the order of Vorbis", async () => {
		const source = `${TONE},channels=6,channel-mask=(bitmask)0x3f ! opusenc`;
		const verbose = await run("gst-launch-1.0", ["-v", ...`${source} ! rtpopuspay ! fakesink`.split(" ")]);
		const caps = verbose
			.toString()
			.split("\n")
			.find((line) => line.includes("MULTIOPUS"))!;
		const value = (name: string) =>
			new RegExp(`${name}=\\(string\\)"?([\\d\\\\, ]+)`).exec(caps)![1]!.replaceAll("\\", "");
		const fmtp = ["channel_mapping", "num_streams", "coupled_streams"]
			.map((name) => `${name}=${value(name)}`)
			.join(";");
		expect(formatOf({ payloadType: 96, rtpmap: "MULTIOPUS/48000/6", fmtp })?.codec).toEqual({
			name: "Opus",
			channels: 6,
		});
		const codec = { name: "Opus", channels: 6 } as const;
		const units = (all: Buffer[]) => unitsOf(createDepacketizer(codec, { encoding: "", fmtp })!, all);
		const packets = await gst(source, "rtpopuspay", (all) => units(all).length >= 60);
		const times = units(packets).map(({ rtpTime }) => rtpTime);
		// The first is shorter by what the decoder will leave out.
		const steps = times.slice(2).map((time, i) => time - times[i + 1]!);
		for (const step of steps) expect(Math.abs(step - 960)).toBeLessThan(4);
	});
});
