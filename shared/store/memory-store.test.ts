import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { type ScriptedFault, scriptedFaults, seededFaults } from "./fault-plan.ts";
import { MemoryStore } from "./memory-store.ts";

function storeWith(...script: ScriptedFault[]) {
	const clock = new FakeClock();
	const faults = scriptedFaults(script);
	return { clock, faults, store: new MemoryStore({ clock, faults }) };
}

describe("MemoryStore with faults", () => {
	it("loses a request: nothing was written", async () => {
		const { store } = storeWith({ fails: "store.unavailable" });
		await expect(store.putIfAbsent("a", "1")).rejects.toMatchObject({ code: "store.unavailable" });
		expect(await store.get("a")).toBeNull();
	});

	it("loses a response: it was written, and the writer's next try loses against itself", async () => {
		const { store } = storeWith({ fails: "store.unavailable", tookEffect: true });
		await expect(store.putIfAbsent("a", "1")).rejects.toMatchObject({ code: "store.unavailable" });
		await expect(store.putIfAbsent("a", "1")).rejects.toMatchObject({ code: "store.precondition" });
		expect(await (await store.get("a"))?.text()).toBe("1");
	});

	it("loses the response to a write that lost as well", async () => {
		const { store } = storeWith({}, { fails: "store.unavailable", tookEffect: true });
		await store.putIfAbsent("a", "1");
		await expect(store.putIfAbsent("a", "2")).rejects.toMatchObject({ code: "store.unavailable" });
		expect(await (await store.get("a"))?.text()).toBe("1");
	});

	it.each(["store.conflict", "store.precondition", "store.throttled", "store.refused", "aborted"] as const)(
		"fails as %s when the plan says so",
		async (fails) => {
			const { store } = storeWith({ method: "put", fails });
			await expect(store.put("a", "1")).rejects.toMatchObject({ code: fails });
			expect(await store.head("a")).toBeNull();
		},
	);

	it("takes effect when the request arrives, not when it is sent or answered", async () => {
		const { store, clock } = storeWith({ method: "put", beforeMs: 10, afterMs: 10 });
		let isDone = false;
		const writing = store.put("a", "1").then(() => {
			isDone = true;
		});
		await clock.advance(9);
		expect(await store.head("a")).toBeNull();
		await clock.advance(1);
		expect(await store.head("a")).not.toBeNull();
		expect(isDone).toBe(false);
		await clock.advance(10);
		await writing;
		expect(clock.pending).toBe(0);
	});

	it("can be aborted on either way", async () => {
		const { store, clock } = storeWith({ method: "put", beforeMs: 10 }, { method: "put", afterMs: 10 });
		for (const [key, wasWritten] of [
			["a", false],
			["b", true],
		] as const) {
			const controller = new AbortController();
			const writing = store.put(key, "1", { signal: controller.signal });
			await clock.advance(5);
			controller.abort();
			await expect(writing).rejects.toMatchObject({ code: "aborted" });
			expect((await store.head(key)) !== null).toBe(wasWritten);
		}
		expect(clock.pending).toBe(0);
	});

	it("interleaves writers as the seed says, and always the same", async () => {
		const race = async (seed: number) => {
			const clock = new FakeClock();
			const store = new MemoryStore({ clock, faults: seededFaults(seed, { maxLatencyMs: 20 }) });
			const writing = Promise.allSettled(["x", "y"].map((writer) => store.putIfAbsent("a", writer)));
			await clock.advance(40);
			await writing;
			const object = store.get("a");
			await clock.advance(40);
			return (await object)?.text();
		};
		const winners = await Promise.all(Array.from({ length: 20 }, (_, seed) => race(seed)));
		expect(winners).toContain("x");
		expect(winners).toContain("y");
		expect(await Promise.all(Array.from({ length: 20 }, (_, seed) => race(seed)))).toEqual(winners);
	});
});

describe("MemoryStore away", () => {
	it("fails everything until it is back, with its objects", async () => {
		const { store, clock } = storeWith({ method: "put", key: "late", beforeMs: 10 });
		await store.put("a", "1");
		const late = expect(store.put("late", "1")).rejects.toMatchObject({ code: "store.unavailable" });
		store.away = true;
		await clock.advance(10);
		await late;
		await expect(store.get("a")).rejects.toMatchObject({ code: "store.unavailable" });
		await expect(store.list("")).rejects.toMatchObject({ code: "store.unavailable" });
		store.away = false;
		expect((await store.list("")).objects.map(({ key }) => key)).toEqual(["a"]);
	});
});

describe("MemoryStore's counters", () => {
	it("count each operation that was begun, those that failed as well", async () => {
		const { store } = storeWith();
		await store.put("a", "1");
		await expect(store.putIfAbsent("a", "1")).rejects.toThrow();
		await store.get("a");
		await store.get("b");
		await store.list("");
		await store.delete(["a", "b"]);
		await store.delete([]);
		expect(store.operations).toEqual({
			get: 2,
			getIfChanged: 0,
			head: 0,
			put: 1,
			putIfAbsent: 1,
			putIfMatch: 0,
			delete: 1,
			list: 1,
		});
	});
});
