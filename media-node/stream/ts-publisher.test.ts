import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { RecordedPublication } from "../../test/support/driver-run.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { probePackets } from "../../test/support/ffmpeg.ts";
import { sample } from "../../test/support/media.ts";
import { joined, TsWriter, type WrittenStream } from "../../test/support/ts-writer.ts";
import { MAX_PROBE_MS, TsPublisher } from "./ts-publisher.ts";

const KLV: WrittenStream = { pid: 0x101, streamType: 0x15, descriptors: [5, 4, 0x4b, 0x4c, 0x56, 0x41] };
/** H.264, of which nothing ever comes. */
const SILENT: WrittenStream = { pid: 0x102, streamType: 0x1b };
const UNKNOWN: WrittenStream = { pid: 0x103, streamType: 0x7f };

/** A unit of KLV at `seconds`, asynchronous metadata (stream type 0x15 carries it in cells of five bytes). */
const klv = (writer: TsWriter, seconds: number) =>
	writer.pes(KLV.pid, Math.round(seconds * 90_000), Uint8Array.of(0, 0, 0xdf, 0, 2, 1, 2), 0xfc);

function publisher(refuse?: Error) {
	const clock = new FakeClock();
	const failures: unknown[] = [];
	const opened: RecordedPublication[] = [];
	const ts = new TsPublisher({
		clock,
		publish: async (tracks) => {
			if (refuse !== undefined) throw refuse;
			const publication = new RecordedPublication(tracks);
			opened.push(publication);
			return publication;
		},
		onFailed: (error) => void failures.push(error),
	});
	return { ts, clock, failures, opened, units: () => opened[0]?.units ?? [] };
}

describe("a publisher of a transport stream", () => {
	it("publishes what is in it, from bytes cut anywhere", async () => {
		const file = await sample({ seconds: 2, size: "320x180", extension: "ts" });
		const { ts, opened, units, failures } = publisher();
		const bytes = new Uint8Array(await readFile(file));
		for (let at = 0; at < bytes.length; at += 1_000) ts.push(bytes.subarray(at, at + 1_000));
		await settle();
		ts.close();
		expect(failures).toEqual([]);
		expect(opened).toHaveLength(1);
		expect(opened[0]?.tracks.map(({ codec }) => codec.name)).toEqual(["H264", "MPEG-4 Audio"]);
		expect(opened[0]?.calls.at(-1)).toBe("close");
		const video = units().filter(({ track }) => track === 0);
		expect(video.map(({ pts }) => pts)).toEqual((await probePackets(file, "v:0")).map(({ pts }) => pts));
		expect(units().flatMap(({ track, frames }) => (track === 1 ? frames : [])).length).toBeGreaterThan(90);
	}, 30_000);

	it("tells the wall-clock time by the newest of what was held for the tracks", async () => {
		const { ts, clock, units } = publisher();
		const writer = new TsWriter();
		ts.push(writer.tables(new Map([[0x100, [KLV, SILENT]]])));
		for (let second = 0; second < 15; second++) {
			ts.push(klv(writer, second));
			await clock.advance(1_000);
		}
		expect(units()).toEqual([]);
		ts.push(klv(writer, MAX_PROBE_MS / 1000));
		await settle();
		ts.push(klv(writer, 16));
		ts.close();
		expect(units().length).toBeGreaterThan(10);
		for (const { pts, wallclockMs } of units()) {
			const ageMs = (15 - pts / 90_000) * 1000;
			expect(Math.abs(clock.now() - ageMs - wallclockMs)).toBeLessThanOrEqual(1_000);
		}
	});

	it("waits for a silent stream for so long only, and goes on without it", async () => {
		const { ts, clock, opened } = publisher();
		const writer = new TsWriter();
		ts.push(joined([writer.tables(new Map([[0x100, [KLV, SILENT]]])), klv(writer, 0)]));
		await clock.advance(MAX_PROBE_MS - 1);
		ts.push(klv(writer, 1));
		await settle();
		expect(opened).toEqual([]);
		await clock.advance(1);
		ts.push(klv(writer, 2));
		await settle();
		expect(opened[0]?.tracks.map(({ codec }) => codec.name)).toEqual(["KLV"]);
	});

	it("takes the wall-clock time anew when the time stamps leap", async () => {
		const { ts, clock, units } = publisher();
		const writer = new TsWriter();
		ts.push(joined([writer.tables(new Map([[0x100, [KLV]]])), klv(writer, 100), klv(writer, 101)]));
		await settle();
		await clock.advance(1_000);
		ts.push(joined([klv(writer, 5_000), klv(writer, 5_001)]));
		ts.close();
		const after = units().filter(({ pts }) => pts >= 5_000 * 90_000);
		expect(after.length).toBeGreaterThan(0);
		for (const { wallclockMs } of after) expect(Math.abs(wallclockMs - clock.now())).toBeLessThanOrEqual(1_000);
	});

	it("says once that there is nothing to publish", async () => {
		const { ts, failures, opened } = publisher();
		const writer = new TsWriter();
		ts.push(writer.tables(new Map([[0x100, [UNKNOWN]]])));
		ts.push(klv(writer, 1));
		ts.push(new Uint8Array(8 * 1024 * 1024));
		ts.push(klv(writer, 1));
		ts.close();
		expect(failures).toMatchObject([{ code: "media.unsupported" }]);
		expect(opened).toEqual([]);
	});

	it("says why the stream was not opened, but not after its end", async () => {
		const refusal = new GoneError("session.closed", "no");
		const writer = new TsWriter();
		const bytes = joined([writer.tables(new Map([[0x100, [KLV]]])), klv(writer, 0), klv(writer, 1)]);
		const refused = publisher(refusal);
		refused.ts.push(bytes);
		await settle();
		expect(refused.failures).toEqual([refusal]);
		const left = publisher(refusal);
		left.ts.push(bytes);
		left.ts.close();
		await settle();
		expect(left.failures).toEqual([]);
	});
});
