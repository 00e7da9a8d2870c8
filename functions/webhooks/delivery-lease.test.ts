import { describe, expect, it } from "vitest";
import { DELIVERY_LEASE_KEY } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { DeliveryLease, LEASE_MS } from "./delivery-lease.ts";

function world() {
	const clock = new FakeClock();
	const store = new MemoryStore({ clock });
	const log = { info: () => undefined, error: () => undefined };
	return { clock, store, take: () => DeliveryLease.take({ store, clock, log }) };
}

describe("the lease of the deliveries", () => {
	it("is one function's at a time, and the next one's when it is given back", async () => {
		const { clock, take } = world();
		const first = await take();
		expect(await take()).toBeNull();
		await first?.[Symbol.asyncDispose]();
		const second = await take();
		expect(second).not.toBeNull();
		await second?.[Symbol.asyncDispose]();
		expect(clock.pending).toBe(0);
	});

	it("is kept while its function works, however long that takes", async () => {
		const { clock, take } = world();
		const first = await take();
		for (let i = 0; i < 60; i++) {
			await clock.advance(1000);
			await settle();
		}
		expect(await take()).toBeNull();
		expect(first?.isLost).toBe(false);
		await first?.[Symbol.asyncDispose]();
	});

	it("holds nobody up for longer than ten seconds when its function was killed", async () => {
		const { clock, store, take } = world();
		const body = JSON.stringify({ expiresMs: clock.now() + LEASE_MS, holder: "somebody who was killed" });
		await store.putIfAbsent(DELIVERY_LEASE_KEY, body);
		expect(await take()).toBeNull();
		await clock.advance(LEASE_MS);
		const next = await take();
		expect(next).not.toBeNull();
		await next?.[Symbol.asyncDispose]();
	});

	it.each(["", "{", '{"expiresMs":"soon"}'])("is taken when what is there is damaged (%j)", async (damaged) => {
		const { store, take } = world();
		await store.put(DELIVERY_LEASE_KEY, damaged);
		expect(await DeliveryLease.sweptMs({ store })).toBe(0);
		const lease = await take();
		expect(lease?.notes).toEqual({ sweptMs: 0, holds: {} });
		expect(await take()).toBeNull();
		await lease?.[Symbol.asyncDispose]();
	});

	it("holds nobody up when who was killed had a clock that is ahead by an hour", async () => {
		const { clock, store, take } = world();
		await store.put(DELIVERY_LEASE_KEY, JSON.stringify({ expiresMs: clock.now() + 3_600_000, holder: "ahead" }));
		const lease = await take();
		expect(lease).not.toBeNull();
		await lease?.[Symbol.asyncDispose]();
	});

	it("is lost when another one took it, and is not given back then", async () => {
		const { clock, store, take } = world();
		const first = await take();
		const current = await store.get(DELIVERY_LEASE_KEY);
		const other = JSON.stringify({ expiresMs: clock.now() + 60_000, holder: "other" });
		await store.putIfMatch(DELIVERY_LEASE_KEY, other, current?.etag ?? "");
		await clock.advance(3000);
		await settle();
		expect(first?.isLost).toBe(true);
		await first?.[Symbol.asyncDispose]();
		expect(await (await store.get(DELIVERY_LEASE_KEY))?.text()).toBe(other);
	});
});
