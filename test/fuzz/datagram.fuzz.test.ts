import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { pino } from "pino";
import { expect, test } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { InputError } from "#shared/problem.ts";
import { parseListenUrl } from "../../media-node/datagram/listen-url.ts";
import { MpegtsReception } from "../../media-node/datagram/mpegts-source.ts";
import { RtpReception } from "../../media-node/datagram/rtp-reception.ts";
import { writeRtcp } from "../../media-node/rtp/rtcp-packet.ts";
import { writeRtpHeader } from "../../media-node/rtp/rtp-packet.ts";
import { sdpFormats } from "../../media-node/rtp/sdp-formats.ts";
import { RecordedPublication } from "../support/driver-run.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { sample } from "../support/media.ts";
import { mutated } from "../support/mutate.ts";
import { AAC_TRACK, H264_TRACK } from "../support/rtp-stream.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

const rtp = (payloadType: number, sequence: number, payload: Uint8Array): Uint8Array => {
	const packet = new Uint8Array(12 + payload.length);
	writeRtpHeader(packet, 0, { marker: false, payloadType, sequence, timestamp: 0, ssrc: 7 });
	packet.set(payload, 12);
	return packet;
};
const ntp = { seconds: 1, fraction: 1 };
const RTCP = writeRtcp([
	{ type: "SR", ssrc: 7, ntp, rtpTime: 5, packets: 1, octets: 1, reports: [] },
	{ type: "BYE", ssrcs: [7], reason: "" },
]);

test("datagrams of anybody, however damaged, give packets of the tracks of a source and no error", async () => {
	const seeds = [rtp(96, 1, Uint8Array.of(1, 2)), rtp(97, 9, Uint8Array.of(3)), rtp(96, 2, new Uint8Array(9)), RTCP];
	const datagram = fc.record({ bytes: mutated(seeds, 2), port: fc.constantFrom(1, 1, 1, 2), isRtcp: fc.boolean() });
	let written = 0;
	await fc.assert(
		fc.asyncProperty(fc.array(datagram, { minLength: 10, maxLength: 40 }), async (datagrams) => {
			const clock = new FakeClock();
			const publication = new RecordedPublication([H264_TRACK, AAC_TRACK]);
			const open = () => publication;
			const reception = new RtpReception({ payloadTypes: [96, 97], clock, readTimeoutMs: 10_000, open });
			for (const { bytes, port, isRtcp } of datagrams) {
				if (isRtcp) reception.rtcp(bytes, "192.0.2.1");
				else reception.datagram(bytes, "192.0.2.1", port);
			}
			await clock.advance(1_000);
			reception.tick();
			for (const { track, bytes } of publication.packets) expect((bytes[1] ?? 0) & 0x7f).toBe(96 + track);
			for (const { wallclockMs } of publication.reports) expect(Number.isFinite(wallclockMs)).toBe(true);
			written += publication.packets.length;
		}),
		{ seed, numRuns: 400 },
	);
	expect(written).toBeGreaterThan(400);
}, 60_000);

test("a transport stream in datagrams, however damaged, bare or in RTP, gives units or nothing, and no error", async () => {
	const file = await sample({ seconds: 1, rate: "5", size: "64x48", extension: "ts" });
	const bytes = new Uint8Array(await readFile(file));
	const bare = Array.from({ length: 20 }, (_, i) => bytes.subarray(i * 1316, (i + 1) * 1316));
	const packed = bare.map((payload, i) => rtp(33, i, payload));
	let given = 0;
	const indexes = Array.from({ length: 20 }, (_, i) => i);
	const damage = fc.array(fc.tuple(fc.constantFrom(...indexes), mutated([...bare, ...packed])), { maxLength: 4 });
	await fc.assert(
		fc.asyncProperty(fc.boolean(), damage, async (isRtp, edits) => {
			const publication = new RecordedPublication([]);
			const reception = new MpegtsReception({
				path: parsePathName("cam01"),
				source: "udp://127.0.0.1:1",
				config: DEFAULT_PATH_CONFIG,
				clock: new FakeClock(),
				log: pino({ level: "silent" }),
				readTimeoutMs: 10_000,
				writeTimeoutMs: 10_000,
				publish: async () => publication,
			});
			const all = [...(isRtp ? packed : bare)];
			for (const [index, datagram] of edits) all[index] = datagram;
			for (const datagram of all) reception.datagram(datagram, "192.0.2.1", 5000);
			await settle();
			reception.close();
			reception.run[Symbol.dispose]();
			for (const { pts, dts, wallclockMs } of publication.units) {
				expect(Number.isSafeInteger(pts) && Number.isSafeInteger(dts) && Number.isFinite(wallclockMs)).toBe(true);
			}
			given += publication.units.length;
		}),
		{ seed, numRuns: 200 },
	);
	expect(given).toBeGreaterThan(400);
}, 60_000);

test("URLs and descriptions of any text are read or refused", () => {
	const text = new TextEncoder().encode("udp+rtp://[ff02::1%lo]:5004/?interface=lo&source=192.0.2.1");
	const sdp = new TextEncoder().encode("v=0\nm=video 0 RTP/AVP 96 97\na=rtpmap:96 H264/90000\na=fmtp:96 x=1\n");
	let read = 0;
	fc.assert(
		fc.property(mutated([text], 3), mutated([sdp], 3), (url, description) => {
			for (const found of sdpFormats(Buffer.from(description).toString("latin1"))) {
				if (typeof found !== "string") expect(found.clockRate).toBeGreaterThan(0);
			}
			try {
				const { port } = parseListenUrl(Buffer.from(url).toString("latin1"));
				expect(port >= 1 && port <= 65_535).toBe(true);
				read++;
			} catch (error) {
				expect(error).toBeInstanceOf(InputError);
			}
		}),
		{ seed, numRuns: 2_000 },
	);
	expect(read).toBeGreaterThan(100);
});
