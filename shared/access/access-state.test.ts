import { describe, expect, it, vi } from "vitest";
import { ACCESS_KEY } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { ACCESS_BOUND_MS, ACCESS_FRESH_MS, ACCESS_STALE_MS, AccessState } from "./access-state.ts";

const TOKEN = { tokenId: "t", subject: "ana", issuedMs: 0 };

function world(sharesReads = false) {
	const clock = new FakeClock();
	const store = new MemoryStore({ clock });
	const state = new AccessState({ store, clock, sharesReads });
	const revoke = () =>
		store.put(
			ACCESS_KEY,
			JSON.stringify({ revocations: [{ kind: "token", value: "t", atMs: clock.now(), expiresMs: clock.now() + 1e9 }] }),
		);
	const isRevoked = async () => (await state.get()).revocations.find(TOKEN, null) !== null;
	const get = vi.spyOn(store, "get");
	const getIfChanged = vi.spyOn(store, "getIfChanged");
	return {
		clock,
		store,
		state,
		revoke,
		isRevoked,
		reads: () => get.mock.calls.length + getIfChanged.mock.calls.length,
		getIfChanged,
	};
}

describe("what an instance knows of keys and revocations", () => {
	it("is nothing revoked when there is no document", async () => {
		const { isRevoked } = world();
		expect(await isRevoked()).toBe(false);
	});

	it("is read once in five seconds, and by etag when it was read before", async () => {
		const { clock, isRevoked, revoke, reads, getIfChanged } = world();
		await revoke();
		expect(await isRevoked()).toBe(true);
		await clock.advance(ACCESS_FRESH_MS - 1);
		expect([await isRevoked(), reads()]).toEqual([true, 1]);
		await clock.advance(1);
		expect([await isRevoked(), reads(), getIfChanged.mock.calls.length]).toEqual([true, 2, 1]);
		expect(await getIfChanged.mock.results[0]?.value).toBe("unchanged");
	});

	it("is asked for by one request at a time; the others go on with what is known", async () => {
		const { clock, store, state, isRevoked, revoke, reads } = world();
		expect(await isRevoked()).toBe(false);
		await revoke();
		await clock.advance(ACCESS_FRESH_MS);
		const { promise, resolve } = Promise.withResolvers<void>();
		const get = store.get.bind(store);
		store.get = async (...args) => {
			await promise;
			return get(...args);
		};
		const first = state.get();
		expect(await isRevoked()).toBe(false);
		resolve();
		expect((await first).revocations.find(TOKEN, null)).not.toBeNull();
		expect(await isRevoked()).toBe(true);
		expect(reads()).toBe(2);
	});

	it("is read once for all who wait for it, where they may share", async () => {
		const { isRevoked, reads } = world(true);
		await Promise.all(Array.from({ length: 100 }, isRevoked));
		expect(reads()).toBe(1);
		const apart = world(false);
		await Promise.all(Array.from({ length: 100 }, apart.isRevoked));
		expect(apart.reads()).toBe(100);
	});

	it("is asked for again when a read does not come back, as those of a request that ended", async () => {
		const { clock, store, isRevoked, revoke, state } = world();
		expect(await isRevoked()).toBe(false);
		await revoke();
		await clock.advance(ACCESS_FRESH_MS);
		const get = store.get.bind(store);
		store.get = () => new Promise(() => undefined);
		void state.get();
		store.get = get;
		expect(await isRevoked()).toBe(false);
		await clock.advance(2_000);
		expect(await isRevoked()).toBe(true);
	});

	it("is never older than ten seconds: nobody is let in by it when the bucket is away for longer", async () => {
		const { clock, store, isRevoked } = world();
		expect(await isRevoked()).toBe(false);
		store.away = true;
		await clock.advance(ACCESS_STALE_MS - 1);
		expect(await isRevoked()).toBe(false);
		await clock.advance(1);
		await expect(isRevoked()).rejects.toMatchObject({ code: "store.unavailable" });
		store.away = false;
		expect(await isRevoked()).toBe(false);
		expect(ACCESS_STALE_MS).toBeLessThan(ACCESS_BOUND_MS);
	});

	it.each(["{", "[]", "null", '{"revocations":[{"kind":"x"}]}', '{"keys":[{}]}'])(
		"is not guessed from %s",
		async (text) => {
			const { store, isRevoked } = world();
			await store.put(ACCESS_KEY, text);
			await expect(isRevoked()).rejects.toMatchObject({ code: "store.refused" });
		},
	);
});
