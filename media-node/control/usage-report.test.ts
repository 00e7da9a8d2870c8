import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { eventKey, mediaKey } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { countedStore } from "#shared/usage/counted-store.ts";
import { hourDocumentSchema } from "#shared/usage/hour-document.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { recordingLogger } from "../../test/support/rtp-stream.ts";
import { Stream } from "../stream/stream.ts";
import { type ReadingSession, UsageReport } from "./usage-report.ts";

const CAM = parsePathName("cam/1");

function world() {
	const clock = new FakeClock(Date.UTC(2026, 10, 21, 9));
	const store = new MemoryStore({ clock });
	const log = recordingLogger();
	const sessions: ReadingSession[] = [];
	const report = new UsageReport({ store: (meter) => countedStore(store, meter), clock, log, nodeId: "node-1" });
	report.watch(() => sessions);
	const stream = new Stream({ path: CAM, config: DEFAULT_PATH_CONFIG, clock, log });
	const documents = async () => {
		const { objects } = await store.list("usage/2026-11-21/09/");
		return Promise.all(
			objects.map(async ({ key }) => {
				const object = await store.get(key);
				return hourDocumentSchema.parse(JSON.parse((await object?.text()) ?? ""));
			}),
		);
	};
	const counted = async () => (await documents())[0]?.paths["cam/1"];
	return { clock, store, report, stream, sessions, documents, counted };
}

describe("what a node says that streams use", () => {
	it("is written once a minute while a stream is live, and not without one", async () => {
		const { clock, report, stream, documents, counted } = world();
		await clock.advance(600_000);
		expect(await documents()).toEqual([]);
		report.streamBegan(stream);
		await clock.advance(65_000);
		expect((await counted())?.secondsLive).toBeGreaterThanOrEqual(55);
		await report[Symbol.asyncDispose]();
		expect((await counted())?.secondsLive).toBe(65);
		expect(clock.pending).toBe(0);
	});

	it("counts no time in which the stream waits for its publisher", async () => {
		const { clock, report, stream, counted } = world();
		report.streamBegan(stream);
		await clock.advance(10_000);
		report.publisherLeft(stream);
		await clock.advance(100_000);
		report.publisherReturned(stream);
		await clock.advance(3_000);
		report.streamEnded(stream);
		await clock.advance(100_000);
		await report[Symbol.asyncDispose]();
		expect((await counted())?.secondsLive).toBe(13);
	});

	it("counts requests to the bucket, and what is stored from what was there before", async () => {
		const { clock, store, report, stream, counted } = world();
		await store.put(mediaKey(CAM, "old.m4s"), new Uint8Array(700));
		report.streamBegan(stream);
		await clock.advance(1_000);
		await report.store.put(mediaKey(CAM, "new.m4s"), new Uint8Array(300));
		await report.store.put(eventKey(CAM, 0), "{}");
		await report.store.get(mediaKey(CAM, "new.m4s"));
		report.deleted(CAM, 200);
		await report[Symbol.asyncDispose]();
		// The listing that found what was there is a request, too.
		expect(await counted()).toMatchObject({ puts: 3, gets: 1, bytesIn: 302, bytesKept: 300, bytesDeleted: 200 });
		expect((await counted())?.stored?.bytes).toBe(700 + 300 - 200);
	});

	it("counts what sessions got since it looked last, whatever their counters began at", async () => {
		const { clock, report, sessions, counted } = world();
		sessions.push({ id: "a", path: CAM, bytesSent: 1_000 });
		await clock.advance(5_000);
		sessions[0] = { id: "a", path: CAM, bytesSent: 5_000 };
		sessions.push({ id: "b", path: CAM, bytesSent: 10 });
		await clock.advance(5_000);
		sessions.splice(0);
		await clock.advance(5_000);
		sessions.push({ id: "c", path: CAM, bytesSent: 100 });
		await report[Symbol.asyncDispose]();
		expect((await counted())?.bytesToReaders).toBe(5_110);
	});

	it("does not hold a node that stops while the bucket is away", async () => {
		const { clock, store, report, stream } = world();
		report.streamBegan(stream);
		await clock.advance(1_000);
		store.away = true;
		await report[Symbol.asyncDispose]();
		expect(clock.pending).toBe(0);
	});
});
