import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { eventKey } from "#shared/store/key.ts";
import { functionsForTest } from "../test/support/functions.ts";
import { StreamEvents } from "./stream-events.ts";

const CAM = parsePathName("cam/1");

async function world() {
	const test = await functionsForTest();
	const reads = { list: 0, head: 0, get: 0 };
	for (const name of ["list", "head", "get"] as const) {
		const call = test.store[name].bind(test.store) as (...given: unknown[]) => Promise<never>;
		test.store[name] = (...given: unknown[]) => {
			reads[name]++;
			return call(...given);
		};
	}
	const write = async (from: number, to: number) => {
		for (let n = from; n <= to; n++) {
			const event = { id: `evt_${String(n).padStart(8, "0")}`, type: "stream.online", sequence: n };
			const body = { ...event, timestamp: "2026-01-01T00:00:00.000Z", data: { path: CAM, node: "n" } };
			await test.store.put(eventKey(CAM, n), JSON.stringify(body));
		}
	};
	const sequences = (page: { items: readonly { sequence: number }[] }) => page.items.map(({ sequence }) => sequence);
	return { ...test, reads, write, sequences };
}

describe("the events of a stream", () => {
	it.each([0, 1, 2, 3, 7, 8, 100])("are found from the newest on when the newest is number %i", async (newest) => {
		const { store, write, sequences } = await world();
		await write(0, newest);
		const page = await new StreamEvents(store).page(CAM, null, 3);
		expect(sequences(page)).toEqual([newest, newest - 1, newest - 2].filter((n) => n >= 0));
		expect(page.next).toBe(newest > 2 ? newest - 2 : null);
	});

	it("are none of a path that had none", async () => {
		const { store } = await world();
		expect(await new StreamEvents(store).page(CAM, null, 3)).toEqual({ items: [], next: null });
	});

	it("cost some twenty small requests once, and two more when nothing is new", async () => {
		const { store, write, reads } = await world();
		await write(0, 3_000);
		const events = new StreamEvents(store);
		await events.page(CAM, null, 50);
		expect(reads.list).toBe(1);
		expect(reads.head).toBeLessThanOrEqual(26);
		expect(reads.get).toBe(50);
		const before = { ...reads };
		await events.page(CAM, null, 50);
		expect(reads).toEqual({ ...before, head: before.head + 2 });
	});

	it("are followed as they come, and when a rule of the bucket deletes the old ones", async () => {
		const { store, write, sequences } = await world();
		const events = new StreamEvents(store);
		await write(0, 4);
		expect(sequences(await events.page(CAM, null, 2))).toEqual([4, 3]);
		await write(5, 9);
		await store.delete([0, 1, 2, 3, 4, 5, 6].map((n) => eventKey(CAM, n)));
		expect(sequences(await new StreamEvents(store).page(CAM, null, 100))).toEqual([9, 8, 7]);
		expect(sequences(await events.page(CAM, null, 4))).toEqual([9, 8, 7]);
	});

	it("are told page by page, newest first, without what is damaged", async () => {
		const { api, store, write, tokenFor, app } = await world();
		await write(0, 24);
		await store.put(eventKey(CAM, 20), "{");
		const seen: number[] = [];
		let query = "limit=10";
		for (let pages = 0; pages < 10; pages++) {
			const response = await api("GET", `/v1/streams/${CAM}/events?${query}`);
			const { items, next } = (await response.json()) as { items: { sequence: number }[]; next: string | null };
			seen.push(...items.map(({ sequence }) => sequence));
			if (next === null) break;
			query = `limit=10&cursor=${next}`;
		}
		expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => 24 - i).filter((n) => n !== 20));
		const foreign = await app.request(`http://functions.test/v1/streams/${CAM}/events`, {
			headers: { authorization: `Bearer ${await tokenFor("view", "other")}` },
		});
		expect(foreign.status).toBe(403);
	});
});
