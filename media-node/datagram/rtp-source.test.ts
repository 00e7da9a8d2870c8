import dgram from "node:dgram";
import { describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { Datagrams, DriverRun } from "../../test/support/driver-run.ts";
import { eventually } from "../../test/support/eventually.ts";
import { freeUdpPair } from "../../test/support/free-port.ts";
import { sample } from "../../test/support/media.ts";
import { Program } from "../../test/support/program.ts";
import { ntpOf } from "../rtp/ntp.ts";
import { writeRtcp } from "../rtp/rtcp-packet.ts";
import { newRtpPacket, RTP_HEADER_BYTES, readRtpPacket, writeRtpHeader } from "../rtp/rtp-packet.ts";
import { rtpSource } from "./rtp-source.ts";

const driver = rtpSource({ readBufferBytes: 0 });
const RTP_SDP = [
	"v=0",
	"m=video 0 RTP/AVP 96",
	"a=rtpmap:96 VP8/90000",
	"m=audio 0 RTP/AVP 97",
	"a=rtpmap:97 opus/48000/2",
].join("\n");

const packet = (payloadType: number, sequence: number, ssrc = 7): Uint8Array => {
	const bytes = new Uint8Array(RTP_HEADER_BYTES + 1);
	writeRtpHeader(bytes, 0, { marker: false, payloadType, sequence, timestamp: 0, ssrc });
	return bytes;
};

/** A run that has bound its sockets. */
async function listening(
	port: number,
	options: ConstructorParameters<typeof DriverRun>[2] = { config: { rtpSDP: RTP_SDP } },
): Promise<DriverRun> {
	const run = new DriverRun(driver, `udp+rtp://127.0.0.1:${port}`, options);
	// The silence is watched as soon as both sockets are bound.
	await eventually("the sockets", () => run.clock.pending > 0);
	return run;
}

describe("a source of RTP without a conversation", () => {
	it("takes over what ffmpeg sends, by the description that ffmpeg prints", async () => {
		const { rtp } = await freeUdpPair();
		const file = await sample({ seconds: 2, audio: null, extension: "mp4" });
		const send = (readrate: readonly string[], args: readonly string[]) =>
			new Program("ffmpeg", ["-v", "error", ...readrate, "-i", file, "-c", "copy", ...args]);
		const url = `rtp://127.0.0.1:${rtp}?pkt_size=1200`;
		const asked = send([], ["-t", "0.1", "-f", "rtp", "-sdp_file", "pipe:1", url]);
		const sdp = (await asked.succeed()).toString();
		await using run = await listening(rtp, { config: { rtpSDP: sdp } });
		await using ffmpeg = send(["-re"], ["-f", "rtp", url]);
		await ffmpeg.succeed();
		await eventually("pictures", () => run.packets.length > 60);
		expect(run.publication?.tracks.map(({ kind, codec }) => [kind, codec.name])).toEqual([["video", "H264"]]);
		expect(run.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
		const header = newRtpPacket();
		const sequences = run.packets.map(({ bytes }) => {
			expect(readRtpPacket(header, bytes, 0, bytes.length)).toBe(true);
			return header.sequence;
		});
		expect(sequences.every((sequence, i) => i === 0 || sequence === ((sequences[i - 1] ?? 0) + 1) % 65_536)).toBe(true);
		// ffmpeg says what time it is on the port above.
		expect(run.publication?.reports.length).toBeGreaterThan(0);
		expect(run.publication?.calls).toContain("flush");
		expect(run.published).toBe(1);
	}, 30_000);

	it("takes two tracks from two senders on one port, and reports beside them", async () => {
		const { rtp, rtcp } = await freeUdpPair();
		await using run = await listening(rtp);
		await using video = await Datagrams.open();
		await using audio = await Datagrams.open();
		await video.send(packet(96, 1, 7), rtp);
		await eventually("the publication", () => run.publication !== null);
		expect(run.remoteAddress).toBe(`127.0.0.1:${video.port}`);
		await audio.send(packet(97, 1, 8), rtp);
		await eventually("both tracks", () => run.packets.length === 2);
		expect(run.packets.map(({ track }) => track)).toEqual([0, 1]);
		const report = (ssrc: number, rtpTime: number) =>
			writeRtcp([{ type: "SR", ssrc, ntp: ntpOf(0), rtpTime, packets: 0, octets: 0, reports: [] }]);
		await video.send(report(7, 1), rtp);
		await eventually("the report of the video", () => run.publication?.reports.length === 1);
		await audio.send(report(8, 2), rtcp);
		await eventually("the report of the audio", () => run.publication?.reports.length === 2);
		expect(run.publication?.reports.map(({ track, rtpTime }) => [track, rtpTime])).toEqual([
			[0, 1],
			[1, 2],
		]);
	});

	it("fails when nothing comes for the read time-out, and gives the ports back", async () => {
		const { rtp } = await freeUdpPair();
		const run = await listening(rtp);
		await using sender = await Datagrams.open();
		await run.clock.advance(9_000);
		await sender.send(packet(96, 1), rtp);
		await eventually("the packet", () => run.packets.length === 1);
		await run.clock.advance(9_000);
		await run.clock.advance(1_000);
		expect(await run.ended).toMatchObject({ code: "source.timeout" });
		expect(run.publication?.closedWith).toMatchObject({ code: "source.timeout" });
		expect(run.clock.pending).toBe(0);
		await using again = await listening(rtp);
		expect(await again.stop()).toMatchObject({ code: "aborted" });
	});

	it("stops when it is told to, before its sockets are open as well", async () => {
		const { rtp } = await freeUdpPair();
		const run = new DriverRun(driver, `udp+rtp://127.0.0.1:${rtp}`, { config: { rtpSDP: RTP_SDP } });
		expect(await run.stop()).toMatchObject({ code: "aborted" });
		await using again = await listening(rtp);
		expect(again.published).toBe(0);
	});

	it("ends with what the stream says when it does not let it in", async () => {
		const { rtp } = await freeUdpPair();
		const refuse = new GoneError("session.closed", "no");
		await using run = await listening(rtp, { config: { rtpSDP: RTP_SDP }, refuse });
		await using sender = await Datagrams.open();
		await sender.send(packet(96, 1), rtp);
		expect(await run.ended).toBe(refuse);
	});

	it("does without reports when their port is in use, but not without its own", async () => {
		const { rtp, rtcp } = await freeUdpPair();
		const blocker = dgram.createSocket("udp4");
		await new Promise<void>((resolve) => blocker.bind(rtcp, "127.0.0.1", resolve));
		try {
			await using run = await listening(rtp);
			await using sender = await Datagrams.open();
			await sender.send(packet(96, 1), rtp);
			await eventually("the packet", () => run.packets.length === 1);
			await using other = new DriverRun(driver, `udp+rtp://127.0.0.1:${rtcp}`, { config: { rtpSDP: RTP_SDP } });
			expect(await other.ended).toMatchObject({ code: "listen.in_use" });
		} finally {
			await new Promise<void>((resolve) => blocker.close(() => resolve()));
		}
	});

	it.each([
		["", /no media line/],
		["v=0\nm=video 0 RTP/SAVP 96\na=rtpmap:96 H264/90000", /not plain RTP/],
		["v=0\nm=video 0 RTP/AVP 96", /clock rate/],
		[
			"v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 VP8/90000\nm=audio 0 RTP/AVP 96\na=rtpmap:96 opus/48000/2",
			/payload type twice/,
		],
	])("says what is wrong with the description %j", async (rtpSDP, message) => {
		await using run = new DriverRun(driver, "udp+rtp://127.0.0.1:5004", { config: { rtpSDP } });
		expect(await run.ended).toMatchObject({ code: "config.invalid", message: expect.stringMatching(message) });
	});
});
