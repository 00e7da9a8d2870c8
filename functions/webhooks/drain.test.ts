import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { StoreError } from "#shared/problem.ts";
import { deliveriesPrefix, deliveryPosition, OUTBOX_PREFIX, outboxKey, webhookKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { settle } from "../../test/support/fake-clock.ts";
import { functionsForTest } from "../../test/support/functions.ts";
import { JITTER, RETRY_DELAYS_MS } from "./delivery.ts";
import { drainOutbox } from "./drain.ts";
import { HOLD_MS } from "./due.ts";
import { SWEEP_INTERVAL_MS } from "./sweep.ts";

const DAY_MS = 86_400_000;
const path = parsePathName("cam01");
type Test = Awaited<ReturnType<typeof setUp>>;

async function setUp({ endpoints = 1 } = {}) {
	const test = await functionsForTest();
	const secrets: string[] = [];
	const ids: string[] = [];
	for (let i = 0; i < endpoints; i++) {
		const { id, secret } = (await (
			await test.api("POST", "/v1/webhooks", { url: `https://hooks.example/${i}` })
		).json()) as { id: string; secret: string };
		ids.push(id);
		secrets.push(secret);
	}
	const emit = async (sequence: number, type = "stream.online") => {
		const event = {
			id: `evt_${String(sequence).padStart(8, "0")}`,
			type,
			timestamp: new Date(test.clock.now()).toISOString(),
			sequence,
			data: { path },
		};
		await test.store.put(outboxKey(path, sequence), JSON.stringify(event));
		return event;
	};
	const keys = async (prefix: string) => (await test.store.list(prefix)).objects.map(({ key }) => key);
	return { ...test, ids, secrets, emit, keys, drain: () => drainOutbox(test.deps) };
}

/** Drains whenever something is due, until nothing waits. */
async function drainAll({ drain, clock }: Test): Promise<void> {
	for (let i = 0; i < 200; i++) {
		const { nextDueMs } = await drain();
		if (nextDueMs === null) return;
		await clock.advance(Math.max(0, nextDueMs - clock.now()));
	}
	throw new Error("It never ends");
}

describe("delivering webhooks", () => {
	it("goes on for the others when an endpoint in the bucket is damaged, and says so without its secrets", async () => {
		const test = await setUp({ endpoints: 2 });
		await test.emit(0);
		const key = webhookKey(test.ids[0] ?? "");
		await test.store.put(key, `{"secrets":[{"secret":"${test.secrets[0]}"`);
		expect(await test.drain()).toMatchObject({ planned: 1, delivered: 1, failed: 0, nextDueMs: null });
		expect(test.sent.map(({ url }) => url)).toEqual(["https://hooks.example/1"]);
		expect(test.logs.join()).toContain(key);
		expect(test.logs.join()).not.toContain(test.secrets[0]);
	});

	it("does not hold back the events of a node whose clock is ahead", async () => {
		const test = await setUp();
		const event = await test.emit(0);
		const ahead = { ...event, timestamp: new Date(test.clock.now() + DAY_MS).toISOString() };
		await test.store.put(outboxKey(path, 0), JSON.stringify(ahead));
		expect(await test.drain()).toMatchObject({ planned: 1, delivered: 1 });
	});

	it("fails only when all that it has begun is over", async () => {
		const test = await setUp({ endpoints: 2 });
		await test.emit(0);
		const { promise, resolve } = Promise.withResolvers<{ status: number; retryAfterS: null }>();
		test.endpoint.answer = () => promise;
		// The delivery to one of them cannot be read any more.
		const get = test.store.get.bind(test.store);
		let isFirst = true;
		test.store.get = async (key, options) => {
			if (!key.startsWith(deliveriesPrefix("pending")) || !isFirst) return get(key, options);
			isFirst = false;
			throw new StoreError("store.unavailable", "away");
		};
		let isOver = false;
		const drained = test.drain().finally(() => {
			isOver = true;
		});
		const failed = expect(drained).rejects.toThrow("away");
		await vi.waitUntil(() => test.sent.length === 1);
		await settle();
		expect(isOver).toBe(false);
		resolve({ status: 204, retryAfterS: null });
		await failed;
		expect(await test.keys(deliveriesPrefix("done"))).toHaveLength(1);
		expect(await test.keys(deliveriesPrefix("pending"))).toHaveLength(1);
	});

	it("sends each event to each endpoint that wants it, signed", async () => {
		const test = await setUp({ endpoints: 2 });
		await test.api("PATCH", `/v1/webhooks/${test.ids[1]}`, { events: ["stream.offline"] });
		await test.emit(0);
		await test.emit(1, "stream.offline");
		expect(await test.drain()).toMatchObject({ planned: 2, delivered: 3, failed: 0, nextDueMs: null });
		expect(test.sent.map(({ url, body }) => `${url} ${JSON.parse(body).type}`).sort()).toEqual([
			"https://hooks.example/0 stream.offline",
			"https://hooks.example/0 stream.online",
			"https://hooks.example/1 stream.offline",
		]);
		for (const { url, headers } of test.sent)
			expect(headers["webhook-signature"], url).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
		expect(await test.keys(OUTBOX_PREFIX)).toEqual([]);
		expect(await test.keys(deliveriesPrefix("done"))).toHaveLength(3);
	});

	it("tries again by the schedule, with the same id and a new time, then gives up and disables the endpoint", async () => {
		const test = await setUp();
		test.endpoint.answer = () => ({ status: 500, retryAfterS: null });
		await test.emit(0);
		await drainAll(test);
		expect(test.sent).toHaveLength(RETRY_DELAYS_MS.length + 1);
		expect(new Set(test.sent.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
		expect(new Set(test.sent.map(({ headers }) => headers["webhook-timestamp"])).size).toBe(test.sent.length);
		for (const [i, delay] of RETRY_DELAYS_MS.entries()) {
			const waited = (test.sent[i + 1]?.atMs ?? 0) - (test.sent[i]?.atMs ?? 0);
			expect(Math.abs(waited - delay), `wait ${i}`).toBeLessThanOrEqual(delay * JITTER + 1);
		}
		expect(await test.keys(deliveriesPrefix("dead"))).toHaveLength(1);
		expect(await (await test.api("GET", `/v1/webhooks/${test.ids[0]}`)).json()).toMatchObject({
			disabled: { reason: expect.stringMatching(/three days/) },
		});
		await test.emit(1);
		await drainAll(test);
		expect(test.sent).toHaveLength(RETRY_DELAYS_MS.length + 1);
	});

	it.each([
		{ what: "a redirect", answer: { status: 302, retryAfterS: null }, attempts: 2 },
		{ what: "429", answer: { status: 429, retryAfterS: 60 }, attempts: 2 },
		{ what: "no answer", answer: null, attempts: 2 },
	])("takes $what for a failure, and delivers when the endpoint is well again", async ({ answer, attempts }) => {
		const test = await setUp();
		test.endpoint.answer = () => {
			if (answer === null) throw new Error("connection refused");
			return answer;
		};
		await test.emit(0);
		await test.drain();
		test.endpoint.answer = () => ({ status: 200, retryAfterS: null });
		await drainAll(test);
		expect(test.sent).toHaveLength(attempts);
		if (answer?.retryAfterS != null)
			expect((test.sent[1]?.atMs ?? 0) - (test.sent[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(60_000);
		expect(await test.keys(deliveriesPrefix("done"))).toHaveLength(1);
	});

	it("disables an endpoint that answers 410, until somebody enables it again", async () => {
		const test = await setUp();
		test.endpoint.answer = () => ({ status: 410, retryAfterS: null });
		await test.emit(0);
		await drainAll(test);
		expect(test.sent).toHaveLength(1);
		expect(await (await test.api("GET", `/v1/webhooks/${test.ids[0]}`)).json()).toMatchObject({
			disabled: { reason: "It answered 410 Gone" },
		});
		test.endpoint.answer = () => ({ status: 204, retryAfterS: null });
		await test.api("PATCH", `/v1/webhooks/${test.ids[0]}`, { disabled: false });
		const { items } = (await (await test.api("GET", "/v1/deliveries?state=dead")).json()) as {
			items: { name: string }[];
		};
		expect((await test.api("POST", `/v1/deliveries/dead/${items[0]?.name}/replay`)).status).toBe(202);
		await drainAll(test);
		expect(test.sent.map(({ headers }) => headers["webhook-id"])).toEqual(["evt_00000000", "evt_00000000"]);
		expect(await test.keys(deliveriesPrefix("dead"))).toEqual([]);
	});

	it("signs with the old secret and the new one for a day after a rotation", async () => {
		const test = await setUp();
		const { secret } = (await (await test.api("POST", `/v1/webhooks/${test.ids[0]}/rotate`)).json()) as {
			secret: string;
		};
		await test.emit(0);
		await drainAll(test);
		await test.clock.advance(24 * 3_600_000);
		await test.emit(1);
		await drainAll(test);
		const isSignedBy = (i: number, by: string | undefined) => {
			const { headers, body } = test.sent[i] as (typeof test.sent)[number];
			// The library checks the age by the real clock: only the signature is of interest here.
			const expected = new Webhook(by ?? "").sign(
				headers["webhook-id"] ?? "",
				new Date(Number(headers["webhook-timestamp"]) * 1000),
				body,
			);
			return headers["webhook-signature"]?.split(" ").includes(expected);
		};
		expect([isSignedBy(0, secret), isSignedBy(0, test.secrets[0])]).toEqual([true, true]);
		expect([isSignedBy(1, secret), isSignedBy(1, test.secrets[0])]).toEqual([true, false]);
	});

	it("is done by one function at a time", async () => {
		const test = await setUp();
		await test.emit(0);
		const results = await Promise.all([test.drain(), test.drain(), test.drain()]);
		expect(results.filter(({ busy }) => busy).length).toBe(2);
		expect(test.sent).toHaveLength(1);
	});

	it("loses nothing when a function dies between any two things that it does, and keeps ids", async () => {
		let crashes = 0;
		for (let at = 1; ; at++) {
			const test = await setUp({ endpoints: 2 });
			for (let i = 0; i < 3; i++) await test.emit(i);
			let calls = 0;
			const dying = dyingStore(test.store, () => ++calls >= at);
			const ended = await drainOutbox({ ...test.deps, store: dying }).then(
				() => true,
				() => false,
			);
			// Its lease has to run out first.
			await test.clock.advance(60_000);
			await drainAll(test);
			for (const sequence of [0, 1, 2]) {
				for (const endpoint of [0, 1]) {
					const got = test.sent.filter(
						({ url, body }) => url.endsWith(`/${endpoint}`) && JSON.parse(body).sequence === sequence,
					);
					expect(got.length, `crash at ${at}: event ${sequence} at endpoint ${endpoint}`).toBeGreaterThanOrEqual(1);
					expect(new Set(got.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
				}
			}
			expect(await test.keys(OUTBOX_PREFIX)).toEqual([]);
			expect(await test.keys(deliveriesPrefix("pending"))).toEqual([]);
			if (ended) break;
			crashes++;
		}
		expect(crashes).toBeGreaterThan(20);
	});

	it("forgets what was delivered long ago", async () => {
		const test = await setUp();
		await test.emit(0);
		await drainAll(test);
		await test.clock.advance(test.deps.settings.webhookDoneDays * 86_400_000 + 1);
		await test.drain();
		expect(await test.keys(deliveriesPrefix("done"))).toEqual([]);
	});

	it("forgets what was given up long after that, a bounded number in one run", async () => {
		const test = await setUp();
		test.endpoint.answer = () => ({ status: 410, retryAfterS: null });
		await test.emit(0);
		await drainAll(test);
		const { webhookDeadDays } = test.deps.settings;
		await test.clock.advance(webhookDeadDays * DAY_MS - 1000);
		await test.drain();
		expect(await test.keys(deliveriesPrefix("dead"))).toHaveLength(1);
		const old = (i: number) =>
			`${deliveryPosition("dead", test.clock.now() - 2 * webhookDeadDays * DAY_MS)}-${i}/~/x.json`;
		for (let i = 0; i < 3500; i++) await test.store.put(old(i), "");
		await test.clock.advance(SWEEP_INTERVAL_MS);
		await test.drain();
		expect((await test.store.list(deliveriesPrefix("dead"))).objects).toHaveLength(501);
		await test.drain();
		expect((await test.store.list(deliveriesPrefix("dead"))).objects).toHaveLength(0);
	});

	it("sends the events of a path in their order, also those of the same moment", async () => {
		const test = await setUp();
		for (let i = 0; i < 30; i++) await test.emit(i);
		await test.drain();
		expect(test.sent.map(({ body }) => JSON.parse(body).sequence)).toEqual(Array.from({ length: 30 }, (_, i) => i));
	});

	it("does not let one endpoint that fails hold up the others, nor hammers it", async () => {
		const test = await setUp({ endpoints: 2 });
		const isBad = ({ url }: { url: string }) => url.endsWith("/0");
		test.endpoint.answer = () => ({ status: isBad(test.sent.at(-1) ?? { url: "" }) ? 500 : 204, retryAfterS: null });
		for (let i = 0; i < 400; i++) await test.emit(i);
		const first = await test.drain();
		expect(test.sent.filter(isBad)).toHaveLength(3);
		expect(test.sent).toHaveLength(403);
		expect(first.nextDueMs).toBeGreaterThanOrEqual(test.clock.now() + 4000);
		// Another run finds it held, and tries it again only when the time is over.
		await test.drain();
		expect(test.sent.filter(isBad)).toHaveLength(3);
		await test.clock.advance(HOLD_MS);
		await test.drain();
		expect(test.sent.filter(isBad).length).toBeGreaterThan(3);
		test.endpoint.answer = () => ({ status: 204, retryAfterS: null });
		await drainAll(test);
		expect(new Set(test.sent.map(({ url, headers }) => `${url} ${headers["webhook-id"]}`)).size).toBe(800);
		expect(await test.keys(deliveriesPrefix("done"))).toHaveLength(800);
	});

	it("leaves an endpoint alone for as long as it asks for, with all that waits for it", async () => {
		const test = await setUp();
		test.endpoint.answer = () => ({ status: 429, retryAfterS: 90 });
		for (let i = 0; i < 5; i++) await test.emit(i);
		const { nextDueMs } = await test.drain();
		expect(test.sent).toHaveLength(1);
		expect(nextDueMs).toBe(test.clock.now() + 90_000);
		test.endpoint.answer = () => ({ status: 204, retryAfterS: null });
		await test.clock.advance(89_999);
		await test.drain();
		expect(test.sent).toHaveLength(1);
		await test.clock.advance(1);
		await drainAll(test);
		expect(test.sent).toHaveLength(6);
	});

	it("writes nothing when there is nothing to do", async () => {
		const test = await setUp();
		await test.drain();
		let writes = 0;
		const quiet = new Proxy(test.store, {
			get(target, name) {
				if (["put", "putIfAbsent", "putIfMatch", "delete"].includes(String(name))) writes++;
				const member = Reflect.get(target, name) as unknown;
				return typeof member === "function" ? member.bind(target) : member;
			},
		});
		expect(await drainOutbox({ ...test.deps, store: quiet })).toMatchObject({ nextDueMs: null });
		expect(writes).toBe(0);
	});

	it("leaves out what cannot be read, and goes on", async () => {
		const test = await setUp();
		await test.store.put(outboxKey(path, 0), "{");
		await test.emit(1);
		await drainAll(test);
		expect(test.sent).toHaveLength(1);
		expect(test.logs.join()).toContain("cannot be read");
	});
});

/** A store that stops answering, for good, when `isDead` says so. */
function dyingStore(store: ObjectStore, isDead: () => boolean): ObjectStore {
	let dead = false;
	return new Proxy(store, {
		get(target, name) {
			const member = Reflect.get(target, name) as unknown;
			if (typeof member !== "function") return member;
			return (...args: unknown[]) => {
				dead ||= isDead();
				if (dead) return Promise.reject(new StoreError("store.unavailable", "The function died"));
				return (member as (...rest: unknown[]) => unknown).apply(target, args);
			};
		},
	});
}
