import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { parsePathName } from "../path-name.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { hourDocumentSchema, SHARED } from "./hour-document.ts";
import { FLUSH_EVERY_MS, UsageMeter } from "./usage-meter.ts";

const CAM = parsePathName("cam/1");
const HOUR = 3_600_000;

function world({ writesShared = false } = {}) {
	// Ten minutes before an hour.
	const clock = new FakeClock(Date.UTC(2026, 10, 21, 9, 50));
	const store = new MemoryStore({ clock });
	const failures: unknown[] = [];
	const meter = new UsageMeter({ clock, writer: "w1", writesShared, onFailure: (error) => failures.push(error) });
	let writes = 0;
	const put = store.put.bind(store);
	store.put = (...given) => {
		writes++;
		return put(...given);
	};
	const read = async (hour: string) => {
		const object = await store.get(`usage/2026-11-21/${hour}/w1.json`);
		return object === null ? null : hourDocumentSchema.parse(JSON.parse(await object.text()));
	};
	return { clock, store, meter, failures, read, writes: () => writes };
}

describe("a meter of usage", () => {
	it("writes nothing while nothing is counted", async () => {
		const { clock, store, meter, writes } = world();
		for (let minute = 0; minute < 180; minute++) {
			await clock.advance(60_000);
			await meter.flush(store);
		}
		await meter.flush(store, { now: true });
		expect(writes()).toBe(0);
	});

	it("writes the totals of the hour, once a minute at most, and only when they changed", async () => {
		const { clock, store, meter, read, writes } = world();
		for (let second = 0; second < 180; second++) {
			meter.add(CAM, { puts: 2, bytesIn: 1_000 });
			await meter.flush(store);
			await clock.advance(1_000);
		}
		expect(writes()).toBe(2);
		await clock.advance(FLUSH_EVERY_MS);
		for (let i = 0; i < 10; i++) await meter.flush(store);
		expect(writes()).toBe(3);
		expect((await read("09"))?.paths).toMatchObject({ "cam/1": { puts: 360, bytesIn: 180_000, gets: 0 } });
	});

	it("leaves an hour that is over as it was, and begins the next one at zero", async () => {
		const { clock, store, meter, read } = world();
		meter.add(CAM, { puts: 5 });
		await clock.advance(HOUR);
		meter.add(CAM, { puts: 7 });
		await meter.flush(store);
		expect((await read("09"))?.paths["cam/1"]?.puts).toBe(5);
		expect((await read("10"))?.paths["cam/1"]?.puts).toBe(7);
	});

	it("is due at once when an hour is over", async () => {
		const { clock, store, meter, read } = world();
		meter.add(CAM, { puts: 5 });
		await clock.advance(600_000);
		expect(meter.isDue).toBe(true);
		await meter.flush(store);
		expect((await read("09"))?.paths["cam/1"]?.puts).toBe(5);
		expect(meter.isDue).toBe(false);
	});

	it("keeps what the bucket did not take, and tells of it", async () => {
		const { clock, store, meter, failures, read } = world();
		meter.add(CAM, { puts: 5 });
		store.away = true;
		await meter.flush(store, { now: true });
		expect(failures).toHaveLength(1);
		await clock.advance(HOUR);
		meter.add(CAM, { puts: 1 });
		await meter.flush(store);
		store.away = false;
		await clock.advance(FLUSH_EVERY_MS);
		await meter.flush(store);
		expect((await read("09"))?.paths["cam/1"]?.puts).toBe(5);
		expect((await read("10"))?.paths["cam/1"]?.puts).toBe(1);
	});

	it("asks a bucket that is away once a minute, however many requests come", async () => {
		const { clock, store, meter, failures } = world();
		meter.add(CAM, { puts: 5 });
		await clock.advance(HOUR);
		store.away = true;
		for (let second = 0; second < 60; second++) {
			for (let request = 0; request < 10; request++) await meter.flush(store);
			await clock.advance(1_000);
		}
		expect(failures).toHaveLength(1);
		for (let request = 0; request < 10; request++) await meter.flush(store);
		expect(failures).toHaveLength(2);
	});

	it("lets no request wait for another one's write, and goes on when that never ends", async () => {
		const { clock, store, meter, read } = world();
		const put = store.put.bind(store);
		store.put = () => new Promise(() => undefined);
		meter.add(CAM, { puts: 5 });
		await clock.advance(HOUR);
		void meter.flush(store);
		expect(meter.isDue).toBe(false);
		await meter.flush(store);
		store.put = put;
		await clock.advance(FLUSH_EVERY_MS);
		expect(meter.isDue).toBe(true);
		await meter.flush(store);
		expect((await read("09"))?.paths["cam/1"]?.puts).toBe(5);
	});

	it("does not write for what is of no path alone, unless that is worth it when the hour is over", async () => {
		for (const writesShared of [false, true]) {
			const { clock, store, meter, read, writes } = world({ writesShared });
			for (let minute = 0; minute < 9; minute++) {
				meter.add(SHARED, { puts: 12 });
				await meter.flush(store);
				await clock.advance(60_000);
			}
			expect(writes()).toBe(0);
			await clock.advance(HOUR);
			await meter.flush(store);
			expect(writes()).toBe(writesShared ? 1 : 0);
			expect((await read("09"))?.paths[SHARED]?.puts).toBe(writesShared ? 108 : undefined);
		}
	});

	it("counts on from how much is stored", async () => {
		const { store, meter, read } = world();
		meter.setStored(CAM, 10_000);
		meter.add(CAM, { bytesIn: 5_200, bytesKept: 5_000 });
		meter.add(CAM, { bytesDeleted: 2_000 });
		await meter.flush(store, { now: true });
		expect((await read("09"))?.paths["cam/1"]?.stored?.bytes).toBe(13_000);
	});

	it("does not grow without a bound with paths that somebody makes up", async () => {
		const { store, meter, read } = world();
		for (let i = 0; i < 25_000; i++) meter.add(parsePathName(`made/up${i}`), { gets: 1 });
		await meter.flush(store, { now: true });
		const paths = (await read("09"))?.paths ?? {};
		expect(Object.keys(paths)).toHaveLength(20_001);
		expect(paths[SHARED]?.gets).toBe(5_000);
	});
});
