/**
 * An hour in the life of webhooks, in some seconds: endpoints on real sockets that fail at random, functions that die in the
 * midst of deliveries, and at the end nothing is missing. The seed settles what fails when; what it was is printed.
 */

import { pino } from "pino";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { StoreError } from "#shared/problem.ts";
import { deliveriesPrefix, OUTBOX_PREFIX } from "#shared/store/key.ts";
import { nodeTransport } from "../../functions/node-send.ts";
import { drainOutbox } from "../../functions/webhooks/drain.ts";
import type { WebhookTransport } from "../../functions/webhooks/transport.ts";
import { EventReporter } from "../../media-node/control/event-reporter.ts";
import { FailingReceiver, type Mishap, type Received } from "../support/failing-receiver.ts";
import { functionsForTest } from "../support/functions.ts";
import { randomOf } from "../support/lossy-udp.ts";
import { Mortal } from "../support/mortal.ts";

// A disk takes a time that the fake clock knows nothing of. What the journal is for is in the tests of the node.
vi.mock("../../media-node/control/event-journal.ts", () => ({
	EventJournal: {
		open: async () => ({
			journal: { nameOf: () => "", write: () => Promise.resolve(), remove: () => Promise.resolve() },
			leftovers: [],
		}),
	},
}));

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const STEP_MS = 500;
const PATHS = 40;
/** How likely, in one second, an event is; and many at once. */
const SINGLE_SHARE = 0.5;
const BURST_SHARE = 0.008;
const BURST_EVENTS = 40;
/** The clock of a rotation and that of an attempt may differ by what is known of an endpoint, and how long it takes. */
const SLACK_MS = 30 * SECOND_MS;

/** How often each of these happens, in a thousand. */
const MISHAPS: readonly (readonly [Mishap, number])[] = [
	["slow", 30],
	["hang", 4],
	["reset before reading", 70],
	["reset before answering", 70],
	["reset in the answer", 20],
	["500", 120],
	["503", 50],
	["429", 10],
	["302", 40],
];

const seed = Number(process.env["HOUR_SEED"] ?? 20_261_121);
const paths: readonly PathName[] = Array.from({ length: PATHS }, (_, i) =>
	parsePathName(i % 4 === 0 ? `site/cam${i}` : `cam${i}`),
);
const last = parsePathName("last/cam");

async function world() {
	const test = await functionsForTest({ allowInsecure: true });
	const random = randomOf(seed);
	const beganMs = test.clock.now();
	const minute = () => (test.clock.now() - beganMs) / MINUTE_MS;
	const choose = (place: string): Mishap => {
		if (minute() >= 60) return "none";
		if (place === "gone" && minute() >= 20 && minute() < 24) return "410";
		let at = random() * 1000;
		for (const [mishap, share] of MISHAPS) {
			at -= share;
			if (at < 0) return mishap;
		}
		return "none";
	};
	const receiver = await FailingReceiver.open(test.clock, choose);
	const make = async (place: string, more: object) =>
		(await (await test.api("POST", "/v1/webhooks", { url: receiver.url(place), ...more })).json()) as {
			id: string;
			secret: string;
		};
	return { ...test, random, beganMs, minute, receiver, make };
}
type World = Awaited<ReturnType<typeof world>>;

/** Functions over the bucket, one instance after the other: each dies after a number of operations that nobody knows. */
class Functions {
	deaths = 0;
	/** Requests that the network has, or the endpoint. */
	inFlight = 0;
	readonly #world: World;
	#current: Mortal | null = null;
	#isOver = false;

	constructor(world: World) {
		this.#world = world;
		this.#begin();
	}

	/** Begins a new instance when the last one has died. */
	look(): void {
		if (this.#current?.isDead !== true || this.#isOver) return;
		this.deaths++;
		this.#begin();
	}

	/** Kills the instance that is at it. */
	kill(): void {
		this.#current?.die();
	}

	/** Ends for good, by death: nobody waits for what was under way. */
	end(): void {
		this.#isOver = true;
		this.kill();
	}

	#begin(): void {
		const { random, store, clock, deps } = this.#world;
		const mortal = new Mortal(20 + Math.floor(random() * 1000), random);
		this.#current = mortal;
		const faulty = new Proxy(store, {
			get: (target, name) => {
				const member = Reflect.get(target, name) as unknown;
				if (typeof member !== "function") return member;
				return async (...args: unknown[]) => {
					const isFault = random() < 0.002;
					if (isFault && random() < 0.5) throw new StoreError("store.unavailable", "The bucket is away");
					const result: unknown = await (member as (...rest: unknown[]) => unknown).apply(target, args);
					if (isFault) throw new StoreError("store.unavailable", "The bucket did not answer");
					return result;
				};
			},
		});
		const own = { ...deps, store: mortal.store(faulty), clock: mortal.clock(clock), webhooks: this.#transport(mortal) };
		void (async () => {
			while (!mortal.isDead) {
				const { nextDueMs } = await drainOutbox(own).catch(() => ({ nextDueMs: null }));
				const waitMs = Math.min(5 * SECOND_MS, Math.max(50, (nextDueMs ?? Number.POSITIVE_INFINITY) - clock.now()));
				await own.clock.sleep(waitMs);
			}
		})();
	}

	/** Over real sockets, but with the clock of the test. */
	#transport(mortal: Mortal): WebhookTransport {
		const { clock } = this.#world;
		const inner = nodeTransport({ allowInsecure: true, now: () => clock.now() });
		return {
			send: (url, headers, body, timeoutMs) =>
				mortal.call(() => {
					this.inFlight++;
					const { promise, reject } = Promise.withResolvers<never>();
					const timer = clock.after(timeoutMs, () =>
						reject(Object.assign(new Error("late"), { name: "TimeoutError" })),
					);
					const sent = inner.send(url, headers, body, 120_000).finally(() => {
						this.inFlight--;
						timer[Symbol.dispose]();
					});
					return Promise.race([sent, promise]);
				}),
		};
	}
}

/** Counts what WebCrypto is at, on threads of its own, until disposed. */
function watchCrypto(): Disposable & { readonly running: () => number } {
	let running = 0;
	const { sign, importKey } = crypto.subtle;
	const watched =
		<A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
		(...args: A): Promise<R> => {
			running++;
			return method.apply(crypto.subtle, args).finally(() => running--);
		};
	crypto.subtle.sign = watched(sign);
	crypto.subtle.importKey = watched(importKey) as typeof importKey;
	return {
		running: () => running,
		[Symbol.dispose]() {
			crypto.subtle.sign = sign;
			crypto.subtle.importKey = importKey;
		},
	};
}

/** Lets the fake clock go on, and stand still while the network is at work, or WebCrypto. */
async function pass(world: World, functions: readonly Functions[], isBusy: () => boolean, ms: number): Promise<void> {
	const end = world.clock.now() + ms;
	while (world.clock.now() < end) {
		await world.clock.advance(Math.min(STEP_MS, end - world.clock.now()));
		while (isBusy() || functions.reduce((sum, { inFlight }) => sum + inFlight, 0) > world.receiver.waiting)
			await new Promise((resolve) => setImmediate(resolve));
		for (const each of functions) each.look();
	}
}

function numbersByPath(received: readonly Received[]): Map<string, number[]> {
	const found = new Map<string, Set<number>>();
	for (const { body } of received) {
		const { sequence, data } = JSON.parse(body) as { sequence: number; data: { path: string } };
		found.set(data.path, (found.get(data.path) ?? new Set()).add(sequence));
	}
	return new Map([...found].map(([path, numbers]) => [path, [...numbers].sort((a, b) => a - b)]));
}

/** By the library of the specification, at the time at which the request came. */
function verify({ headers, body, atMs }: Received, secret: string): void {
	const now = vi.spyOn(Date, "now").mockReturnValue(atMs);
	try {
		new Webhook(secret).verify(body, headers);
	} finally {
		now.mockRestore();
	}
}

describe("an hour of webhooks to endpoints that fail at random, by functions that die", () => {
	it("delivers every event at least once, signed, with numbers that have no gap", { timeout: 120_000 }, async () => {
		const began = performance.now();
		using watch = watchCrypto();
		const at = await world();
		await using receiver = at.receiver;
		const { clock, store, random, api, minute } = at;
		const all = await at.make("all", {});
		const some = await at.make("some", { paths: ["~^site/"], events: ["stream.online"] });
		const gone = await at.make("gone", { paths: [last] });
		const reporters = await Promise.all(
			["a", "b"].map((node) => EventReporter.open({ store, clock, log: pino({ level: "silent" }), journalRoot: node })),
		);
		const reported = new Map<string, number>();
		const report = (path: PathName) => {
			reported.set(path, (reported.get(path) ?? 0) + 1);
			const data = { path, streamId: "s", node: "n", protocol: "rtsp", tracks: [] };
			const offline = { path, streamId: "s", node: "n", reason: "It left", durationMs: 1 };
			const isOnline = random() < 0.5;
			reporters[random() < 0.5 ? 0 : 1]?.report(
				isOnline ? { type: "stream.online", data } : { type: "stream.offline", data: offline },
			);
		};

		const functions = [new Functions(at), new Functions(at)];
		let rotatedMs = Number.POSITIVE_INFINITY;
		let newSecret = "";
		const once = new Map<string, () => Promise<unknown>>([
			["10", () => receiver.stop()],
			["11", () => receiver.listen()],
			["20", async () => report(last)],
			["26", () => api("PATCH", `/v1/webhooks/${gone.id}`, { disabled: null })],
			[
				"27",
				async () => {
					const since = new Date(at.beganMs).toISOString();
					const answer = await api("POST", `/v1/webhooks/${gone.id}/replay`, { since });
					const { replayed } = (await answer.json()) as { replayed: number };
					expect(replayed).toBeGreaterThan(0);
				},
			],
			[
				"30",
				async () => {
					const answer = await api("POST", `/v1/webhooks/${all.id}/rotate`);
					newSecret = ((await answer.json()) as { secret: string }).secret;
					rotatedMs = clock.now();
				},
			],
			["40", () => receiver.stop()],
			["42", () => receiver.listen()],
		]);
		while (minute() < 60) {
			await once.get(String(minute()))?.();
			// Now and then all of a site goes off and on again.
			const count = random() < BURST_SHARE ? BURST_EVENTS : random() < SINGLE_SHARE ? 1 : 0;
			for (let i = 0; i < count; i++) report(paths[Math.floor(random() * PATHS)] ?? last);
			// While it is disabled, an endpoint is not told of what happens.
			if (minute() < 18 || minute() > 28) if (random() < 0.02) report(last);
			if (random() < 0.005) functions[random() < 0.5 ? 0 : 1]?.kill();
			await pass(at, functions, () => watch.running() > 0, SECOND_MS);
		}

		// The endpoints are well again; what failed is tried again by its schedule.
		for (const each of functions) each.end();
		await Promise.all(reporters.map((reporter) => reporter.close()));
		await clock.advance(MINUTE_MS);
		const survivor = { ...at.deps, webhooks: nodeTransport({ allowInsecure: true, now: () => clock.now() }) };
		for (let runs = 0; ; runs++) {
			const { nextDueMs } = await drainOutbox(survivor);
			if (nextDueMs === null) break;
			expect(runs).toBeLessThan(10_000);
			await clock.advance(Math.max(0, nextDueMs - clock.now()));
		}

		const taken = receiver.received.filter(({ status }) => status !== null && status >= 200 && status < 300);
		const events = [...reported.values()].reduce((sum, count) => sum + count, 0);
		console.log(
			`webhooks: seed ${seed}, ${events} events, ${receiver.received.length} requests read, ${taken.length} taken, ` +
				`${functions.reduce((sum, { deaths }) => sum + deaths, 0)} deaths, ` +
				`${((clock.now() - at.beganMs) / HOUR_MS).toFixed(1)} h in ${((performance.now() - began) / 1000).toFixed(1)} s; ` +
				[...receiver.mishaps].map(([mishap, count]) => `${mishap}: ${count}`).join(", "),
		);

		const whole = (path: string) => Array.from({ length: reported.get(path) ?? 0 }, (_, i) => i);
		const takenBy = (place: string) => taken.filter((one) => one.place === place);
		const numbers = numbersByPath(takenBy("all"));
		for (const path of reported.keys()) expect(numbers.get(path), path).toEqual(whole(path));
		expect(numbersByPath(takenBy("gone")).get(last)).toEqual(whole(last));
		const online = takenBy("all").filter(({ body }) => body.includes('"stream.online"') && body.includes('"site/'));
		expect(numbersByPath(takenBy("some"))).toEqual(numbersByPath(online));
		expect(new Set(receiver.received.map(({ place }) => place))).toEqual(new Set(["all", "some", "gone"]));

		for (const one of receiver.received) {
			if (one.place !== "all") verify(one, one.place === "some" ? some.secret : gone.secret);
			else {
				if (one.atMs < rotatedMs + DAY_MS - SLACK_MS) verify(one, all.secret);
				if (one.atMs > rotatedMs + SLACK_MS) verify(one, newSecret);
				if (one.atMs > rotatedMs + DAY_MS) expect(() => verify(one, all.secret)).toThrow();
			}
			expect(one.headers["webhook-id"]).toBe(JSON.parse(one.body).id);
		}

		for (const prefix of [OUTBOX_PREFIX, deliveriesPrefix("pending"), deliveriesPrefix("dead")])
			expect((await store.list(prefix)).objects, prefix).toEqual([]);
		for (const [mishap] of MISHAPS) expect(receiver.mishaps.get(mishap), mishap).toBeGreaterThan(0);
		expect(receiver.mishaps.get("410")).toBeGreaterThan(0);
		expect(functions.reduce((sum, { deaths }) => sum + deaths, 0)).toBeGreaterThan(20);
	});
});
