import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { GoneError, type SluiceError } from "#shared/problem.ts";
import { RecordedPublication } from "../../test/support/driver-run.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { probePackets } from "../../test/support/ffmpeg.ts";
import { sample } from "../../test/support/media.ts";
import { H264_TRACK } from "../../test/support/rtp-stream.ts";
import { writeRtpHeader } from "../rtp/rtp-packet.ts";
import { withMpegtsDemux } from "./demuxed-publication.ts";
import type { PublishRequest, StreamTable } from "./publication.ts";
import type { Track } from "./track.ts";

const PATH = parsePathName("cam01");
const MPEGTS_TRACK: Omit<Track, "index"> = {
	kind: "video",
	codec: { name: "MPEG-TS" },
	clockRate: 90_000,
	rtp: { payloadType: 33, encoding: "MP2T/90000", fmtp: "" },
};

function world({ rtspDemuxMpegts = true, refuse }: { rtspDemuxMpegts?: boolean; refuse?: Error } = {}) {
	const asked: { request: PublishRequest; signal: AbortSignal | undefined }[] = [];
	const published: RecordedPublication[] = [];
	const evictions: SluiceError[] = [];
	const inner: StreamTable = {
		publish: async (request, signal) => {
			asked.push({ request, signal });
			if (refuse !== undefined) throw refuse;
			const publication = new RecordedPublication(request.tracks);
			published.push(publication);
			return publication;
		},
		expectVacancy: () => undefined,
		read: (path) => Promise.reject(new GoneError("stream.not_found", `read ${path}`)),
	};
	const table = withMpegtsDemux(inner, { clock: new FakeClock(), configOf: () => ({ rtspDemuxMpegts }) });
	const request = (tracks: PublishRequest["tracks"]): PublishRequest => ({
		path: PATH,
		tracks,
		publisher: { id: "1", protocol: "rtsp", remoteAddress: "192.0.2.1:5000", query: "" },
		onEvicted: (reason) => void evictions.push(reason),
	});
	return { table, request, asked, published, evictions };
}

/** A transport stream in RTP packets, of seven transport packets each: RFC 2250 §2. */
async function packetsOf(file: string, payloadType = 33): Promise<Uint8Array[]> {
	const bytes = new Uint8Array(await readFile(file));
	const packets: Uint8Array[] = [];
	for (let at = 0; at < bytes.length; at += 1316) {
		const payload = bytes.subarray(at, at + 1316);
		const packet = new Uint8Array(12 + payload.length);
		writeRtpHeader(packet, 0, { marker: false, payloadType, sequence: packets.length, timestamp: 0, ssrc: 7 });
		packet.set(payload, 12);
		packets.push(packet);
	}
	return packets;
}

describe("a publisher of MPEG-TS over RTSP", () => {
	it("publishes what is in it, in place of it", async () => {
		const file = await sample({ seconds: 2, size: "320x180", extension: "ts" });
		const { table, request, asked, published } = world();
		const publication = await table.publish(request([MPEGTS_TRACK]));
		expect(publication.tracks).toEqual([{ ...MPEGTS_TRACK, index: 0 }]);
		expect(asked).toEqual([]);
		for (const packet of await packetsOf(file)) {
			publication.writePacket(0, packet, 0, packet.length);
			publication.flush();
		}
		publication.writeSenderReport(0, { wallclockMs: 0, rtpTime: 0 });
		await settle();
		publication.close();
		expect(asked).toHaveLength(1);
		expect(asked[0]?.request.publisher).toEqual(request([]).publisher);
		expect(published[0]?.tracks.map(({ codec }) => codec.name)).toEqual(["H264", "MPEG-4 Audio"]);
		const sizes = (await probePackets(file, "v:0")).map(({ pts }) => pts);
		expect(published[0]?.units.filter(({ track }) => track === 0).map(({ pts }) => pts)).toEqual(sizes);
		expect(published[0]?.packets).toEqual([]);
		expect(published[0]?.reports).toEqual([]);
		expect(published[0]?.calls.at(-1)).toBe("close");
	}, 30_000);

	it("is thrown out with the reason when its stream is not let in", async () => {
		const file = await sample({ seconds: 2, size: "320x180", extension: "ts" });
		const refuse = new GoneError("session.closed", "no");
		const { table, request, evictions } = world({ refuse });
		const publication = await table.publish(request([MPEGTS_TRACK]));
		for (const packet of await packetsOf(file)) publication.writePacket(0, packet, 0, packet.length);
		await settle();
		publication.close();
		expect(evictions).toEqual([refuse]);
	});

	it("is thrown out for a fault of ours, which is told as such", async () => {
		const file = await sample({ seconds: 2, size: "320x180", extension: "ts" });
		const { table, request, evictions } = world({ refuse: new TypeError("a bug") });
		const publication = await table.publish(request([MPEGTS_TRACK]));
		for (const packet of await packetsOf(file)) publication.writePacket(0, packet, 0, packet.length);
		await settle();
		expect(evictions).toMatchObject([{ code: "session.closed", cause: { message: "a bug" } }]);
	});

	it("leaves without a word before its tracks are known, and while the stream is opened", async () => {
		const file = await sample({ seconds: 2, size: "320x180", extension: "ts" });
		const { table, request, asked, published, evictions } = world();
		(await table.publish(request([MPEGTS_TRACK]))).close();
		expect(asked).toEqual([]);
		const publication = await table.publish(request([MPEGTS_TRACK]));
		for (const packet of await packetsOf(file)) publication.writePacket(0, packet, 0, packet.length);
		expect(asked[0]?.signal?.aborted).toBe(false);
		publication.close();
		expect(asked[0]?.signal?.aborted).toBe(true);
		await settle();
		expect(published[0]?.calls).toEqual(["close"]);
		expect(evictions).toEqual([]);
	});

	it("leaves packets out that are malformed or of another payload type", async () => {
		const file = await sample({ seconds: 2, size: "320x180", extension: "ts" });
		const { table, request, asked } = world();
		const publication = await table.publish(request([MPEGTS_TRACK]));
		for (const packet of await packetsOf(file, 96)) publication.writePacket(0, packet, 0, packet.length);
		for (const packet of await packetsOf(file)) {
			publication.writePacket(1, packet, 0, packet.length);
			publication.writePacket(0, packet, 0, 11);
		}
		publication.close();
		expect(asked).toEqual([]);
	});
});

describe("another publisher", () => {
	it.each([
		["of a path that does not ask for it", false, [MPEGTS_TRACK]],
		["of other media", true, [H264_TRACK]],
		["of MPEG-TS beside other media", true, [MPEGTS_TRACK, H264_TRACK]],
	])("%s is published as it is", async (_name, rtspDemuxMpegts, tracks) => {
		const { table, request, asked, published } = world({ rtspDemuxMpegts });
		const { signal } = new AbortController();
		const publication = await table.publish(request(tracks), signal);
		expect(publication).toBe(published[0]);
		expect(asked).toMatchObject([{ request: { tracks } }]);
		expect(asked[0]?.signal).toBe(signal);
	});

	it("is read as before", async () => {
		await expect(world().table.read(PATH)).rejects.toThrow("read cam01");
	});
});
