import { describe, expect, it } from "vitest";
import { MemoryStore } from "#shared/store/memory-store.ts";
import type { StoredObject } from "#shared/store/object-store.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { changeObject } from "./change-object.ts";

const KEY = "config/counter.json";
const read = async (object: StoredObject | null) =>
	object === null ? { n: 0 } : (JSON.parse(await object.text()) as { n: number });

describe("changing an object of the bucket", () => {
	const open = () => new MemoryStore({ clock: new FakeClock() });

	it("makes it when it is not there, and says so", async () => {
		const store = open();
		expect(await changeObject(store, KEY, read, ({ n }) => ({ n: n + 1 }))).toMatchObject({
			value: { n: 1 },
			isNew: true,
		});
		expect(await changeObject(store, KEY, read, ({ n }) => ({ n: n + 1 }))).toMatchObject({
			value: { n: 2 },
			isNew: false,
		});
	});

	it("loses no change of those that come at the same time", async () => {
		const store = open();
		await Promise.all(Array.from({ length: 5 }, () => changeObject(store, KEY, read, ({ n }) => ({ n: n + 1 }))));
		expect(await read(await store.get(KEY))).toEqual({ n: 5 });
	});

	it("writes nothing when nothing changes", async () => {
		const store = open();
		expect((await changeObject(store, KEY, read, (now) => now)).etag).toBeNull();
		expect(await store.get(KEY)).toBeNull();
	});

	it("gives up when somebody else is faster every time", async () => {
		const store = open();
		const meddled = changeObject(store, KEY, read, async ({ n }) => {
			await store.put(KEY, JSON.stringify({ n: n + 100 }));
			return { n: n + 1 };
		});
		await expect(meddled).rejects.toMatchObject({ code: "store.precondition" });
		expect(await read(await store.get(KEY))).toEqual({ n: 800 });
	});

	it("ends with what the change throws", async () => {
		const refused = changeObject(open(), KEY, read, () => {
			throw new RangeError("too many");
		});
		await expect(refused).rejects.toThrow("too many");
	});
});
