import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { Datagrams, DriverRun } from "../../test/support/driver-run.ts";
import { eventually } from "../../test/support/eventually.ts";
import { probePackets } from "../../test/support/ffmpeg.ts";
import { freeUdpPair } from "../../test/support/free-port.ts";
import { sample } from "../../test/support/media.ts";
import { Program } from "../../test/support/program.ts";
import { writeRtpHeader } from "../rtp/rtp-packet.ts";
import { mpegtsSource } from "./mpegts-source.ts";

const driver = mpegtsSource({ readBufferBytes: 1024 * 1024 });
const DATAGRAM_BYTES = 7 * 188;

let file = "";
let bytes = new Uint8Array();
let pictures: number[] = [];
beforeAll(async () => {
	file = await sample({ seconds: 2, size: "320x180", extension: "ts" });
	bytes = new Uint8Array(await readFile(file));
	pictures = (await probePackets(file, "v:0")).map(({ size }) => size);
}, 60_000);

async function listening(url: string, options?: ConstructorParameters<typeof DriverRun>[2]): Promise<DriverRun> {
	const run = new DriverRun(driver, url, options);
	await eventually("the socket", () => run.clock.pending > 0);
	return run;
}

const videoOf = (run: DriverRun) => run.units.filter(({ track }) => track === 0);

function datagrams(size = DATAGRAM_BYTES): Uint8Array[] {
	const count = Math.ceil(bytes.length / size);
	return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

const inRtp = (sequence: number, payload: Uint8Array, ssrc = 7): Uint8Array => {
	const packet = new Uint8Array(12 + payload.length);
	writeRtpHeader(packet, 0, { marker: false, payloadType: 33, sequence, timestamp: 0, ssrc });
	packet.set(payload, 12);
	return packet;
};

/** Packets that carry nothing, ISO 13818-1 §2.4.3.3. */
const NULL_PACKETS = new Uint8Array(DATAGRAM_BYTES).fill(0xff);
for (let at = 0; at < DATAGRAM_BYTES; at += 188) NULL_PACKETS.set([0x47, 0x1f, 0xff, 0x10], at);

describe("a source of MPEG-TS in datagrams", () => {
	it.each([
		["bare", "mpegts", "udp+mpegts", (port: number) => `udp://127.0.0.1:${port}?pkt_size=1316`],
		["bare, by the old name", "mpegts", "udp", (port: number) => `udp://127.0.0.1:${port}?pkt_size=1316`],
		["in RTP", "rtp_mpegts", "udp+mpegts", (port: number) => `rtp://127.0.0.1:${port}?pkt_size=1328`],
	])(
		"takes what ffmpeg sends, %s",
		async (_name, format, scheme, target) => {
			const { rtp } = await freeUdpPair();
			await using run = await listening(`${scheme}://127.0.0.1:${rtp}`);
			await using ffmpeg = new Program("ffmpeg", [
				...["-v", "error", "-re", "-i", file, "-c", "copy", "-f", format],
				...(format === "mpegts" ? ["-pat_period", "0.2"] : []),
				target(rtp),
			]);
			await ffmpeg.succeed();
			await eventually("nearly all pictures", () => videoOf(run).length >= pictures.length - 2);
			expect(run.publication?.tracks.map(({ codec }) => codec.name)).toEqual(["H264", "MPEG-4 Audio"]);
			expect(run.published).toBe(1);
			expect(run.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
			expect(videoOf(run)[0]?.randomAccess).toBe(true);
			expect(run.publication?.calls).toContain("flush");
			expect(run.units.flatMap(({ track, frames }) => (track === 1 ? frames : [])).length).toBeGreaterThan(60);
		},
		30_000,
	);

	it("joins a multicast group, if the machine carries it", async () => {
		const { rtp } = await freeUdpPair();
		const group = "239.255.66.9";
		const run = new DriverRun(driver, `udp+mpegts://${group}:${rtp}?interface=127.0.0.1`);
		const started = await Promise.race([
			eventually("the socket", () => run.clock.pending > 0),
			run.ended.then((error) => error),
		]);
		// Without multicast the interface does not join: the configuration is told wrong.
		if (started !== true) return expect(started).toMatchObject({ code: "config.invalid" });
		await using sender = await Datagrams.open();
		for (const datagram of datagrams()) await sender.send(datagram, rtp, group);
		await eventually("pictures", () => videoOf(run).length > 10);
		await run.stop();
	}, 30_000);

	it("puts RTP packets in order", async () => {
		const { rtp } = await freeUdpPair();
		await using run = await listening(`udp+mpegts://127.0.0.1:${rtp}`);
		await using sender = await Datagrams.open();
		const packets = datagrams().map((payload, i) => inRtp(65_500 + i, payload));
		for (let i = 1; i + 1 < packets.length; i += 2) {
			const [a, b] = [packets[i], packets[i + 1]] as [Uint8Array, Uint8Array];
			packets[i] = b;
			packets[i + 1] = a;
		}
		for (const packet of packets) await sender.send(packet, rtp);
		await eventually("all pictures but the last", () => videoOf(run).length >= pictures.length - 1);
	});

	it("takes a stream that is cut anywhere, once it has begun with a whole packet", async () => {
		const { rtp } = await freeUdpPair();
		await using run = await listening(`udp+mpegts://127.0.0.1:${rtp}`);
		await using sender = await Datagrams.open();
		for (const datagram of datagrams(1_000)) await sender.send(datagram, rtp);
		await eventually("all pictures but the last", () => videoOf(run).length >= pictures.length - 1);
	});

	it("hears the first sender only, and nobody who sends something else", async () => {
		const { rtp } = await freeUdpPair();
		await using run = await listening(`udp+mpegts://127.0.0.1:${rtp}`);
		await using stranger = await Datagrams.open();
		await using sender = await Datagrams.open();
		await stranger.send(Buffer.from("hello"), rtp);
		for (const datagram of datagrams()) {
			await sender.send(datagram, rtp);
			await stranger.send(datagram, rtp);
		}
		await eventually("all pictures but the last", () => videoOf(run).length >= pictures.length - 1);
		expect(run.remoteAddress).toBe(`127.0.0.1:${sender.port}`);
		expect(videoOf(run).length).toBeLessThanOrEqual(pictures.length);
		const times = videoOf(run).map(({ dts }) => dts);
		expect(times.every((dts, i) => i === 0 || dts > (times[i - 1] ?? 0))).toBe(true);
	});

	it("fails when packets come and no pictures any more, and gives the port back", async () => {
		const { rtp } = await freeUdpPair();
		const run = await listening(`udp+mpegts://127.0.0.1:${rtp}`);
		await using sender = await Datagrams.open();
		await sender.send(NULL_PACKETS, rtp);
		for (const datagram of datagrams()) await sender.send(datagram, rtp);
		await eventually("pictures", () => videoOf(run).length >= pictures.length - 1);
		for (let second = 0; second < 11; second++) {
			await sender.send(NULL_PACKETS, rtp);
			await run.clock.advance(1_000);
		}
		expect(await run.ended).toMatchObject({ code: "source.timeout" });
		// With the end comes the last picture, whose end nothing else told.
		expect(videoOf(run)).toHaveLength(pictures.length);
		expect(run.publication?.closedWith).toMatchObject({ code: "source.timeout" });
		expect(run.clock.pending).toBe(0);
		await using again = await listening(`udp+mpegts://127.0.0.1:${rtp}`);
		expect(await again.stop()).toMatchObject({ code: "aborted" });
	});

	it("fails when nobody sends at all", async () => {
		const { rtp } = await freeUdpPair();
		const run = await listening(`udp+mpegts://127.0.0.1:${rtp}`);
		await run.clock.advance(10_000);
		expect(await run.ended).toMatchObject({ code: "source.timeout" });
		expect(run.published).toBe(0);
	});

	it("ends with what the stream says when it does not let it in", async () => {
		const { rtp } = await freeUdpPair();
		const refuse = new GoneError("session.closed", "no");
		await using run = await listening(`udp+mpegts://127.0.0.1:${rtp}`, { refuse });
		await using sender = await Datagrams.open();
		for (const datagram of datagrams()) await sender.send(datagram, rtp);
		expect(await run.ended).toBe(refuse);
	});

	it("says that its port is in use", async () => {
		const { rtp } = await freeUdpPair();
		await using _first = await listening(`udp+mpegts://127.0.0.1:${rtp}`);
		await using second = new DriverRun(driver, `udp+mpegts://127.0.0.1:${rtp}`);
		expect(await second.ended).toMatchObject({ code: "listen.in_use" });
	});
});
