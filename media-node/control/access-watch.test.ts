import { pino } from "pino";
import { describe, expect, it, vi } from "vitest";
import { generateSigningKey, publicJwks } from "#shared/access/signing-key.ts";
import { ACCESS_KEY } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { ACCESS_POLL_MS, AccessWatch } from "./access-watch.ts";

const CLAIMS = { subject: "ana", tokenId: "t", issuedMs: 0, expiresMs: 1, permissions: [] };

async function world() {
	const clock = new FakeClock();
	const store = new MemoryStore({ clock });
	const log = pino({ level: "silent" });
	const onChange = vi.fn();
	const open = () => AccessWatch.open({ store, clock, log, onChange }, new AbortController().signal);
	const revoke = (value: string) =>
		store.put(ACCESS_KEY, JSON.stringify({ revocations: [{ kind: "token", value, atMs: 1, expiresMs: 1e15 }] }));
	return { clock, store, open, revoke, onChange };
}

describe("what a node knows of keys and revocations", () => {
	it("is there when it opens, and new within five seconds", async () => {
		const { clock, open, revoke, onChange } = await world();
		await revoke("other");
		await using watch = await open();
		watch.assertNotRevoked(CLAIMS);
		expect(() => watch.assertNotRevoked({ ...CLAIMS, tokenId: "other" })).toThrow("revoked");
		await clock.advance(60_000);
		expect(onChange).not.toHaveBeenCalled();
		await revoke("t");
		await clock.advance(ACCESS_POLL_MS);
		expect(onChange).toHaveBeenCalledTimes(1);
		expect(() => watch.assertNotRevoked(CLAIMS)).toThrow("revoked");
	});

	it("stays when the bucket is away, or the document is damaged", async () => {
		const { clock, store, open, revoke } = await world();
		await revoke("t");
		await using watch = await open();
		store.away = true;
		await clock.advance(60_000);
		expect(() => watch.assertNotRevoked(CLAIMS)).toThrow("revoked");
		store.away = false;
		await store.put(ACCESS_KEY, "{");
		await clock.advance(60_000);
		expect(() => watch.assertNotRevoked(CLAIMS)).toThrow("revoked");
		await store.delete([ACCESS_KEY]);
		await clock.advance(60_000);
		watch.assertNotRevoked(CLAIMS);
	});

	it("opens when the bucket is away: it trusts the node's own keys then", async () => {
		const { store, open } = await world();
		store.away = true;
		await using watch = await open();
		const root = await generateSigningKey();
		const roots = [root];
		expect(watch.publicKeys(roots).keys.map(({ kid }) => kid)).toEqual([root.kid]);
		expect(watch.publicKeys(roots)).toBe(watch.publicKeys(roots));
		expect(JSON.stringify(watch.publicKeys(roots))).not.toContain(root.d);
	});

	it("leaves out keys that are not trusted any more, and puts new ones first", async () => {
		const { store, open } = await world();
		const [root, made] = [await generateSigningKey(), await generateSigningKey()];
		const { d: _, ...shown } = made;
		const entry = { public: shown, private: { sealedBy: root.kid, sealed: "AAAA" }, createdMs: 1 };
		await store.put(ACCESS_KEY, JSON.stringify({ keys: [entry], distrusted: [root.kid] }));
		await using watch = await open();
		expect(watch.publicKeys([root]).keys.map(({ kid }) => kid)).toEqual([made.kid]);
	});

	it("takes keys that were removed out of sets from elsewhere, which may be older", async () => {
		const { clock, store, open } = await world();
		const [root, made] = [await generateSigningKey(), await generateSigningKey()];
		const { d: _, ...shown } = made;
		const entry = { public: shown, private: { sealedBy: root.kid, sealed: "AAAA" }, createdMs: 1 };
		await store.put(ACCESS_KEY, JSON.stringify({ keys: [entry] }));
		await using watch = await open();
		const set = publicJwks([made, root]);
		const kids = () => watch.trusted(set).keys.map(({ kid }) => kid);
		expect(kids()).toEqual([made.kid, root.kid]);
		await store.put(ACCESS_KEY, "{}");
		await clock.advance(ACCESS_POLL_MS);
		expect(kids()).toEqual([root.kid]);
		await store.put(ACCESS_KEY, JSON.stringify({ distrusted: [root.kid] }));
		await clock.advance(ACCESS_POLL_MS);
		expect(kids()).toEqual([]);
	});
});
