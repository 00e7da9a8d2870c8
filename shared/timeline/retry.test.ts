import { expect, test } from "vitest";
import { GoneError, hasCode, InputError, StoreError } from "#shared/problem.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RETRY_CAP_MS, retried } from "./retry.ts";

const never = new AbortController().signal;

function failing(...codes: ("store.conflict" | "store.throttled" | "store.unavailable" | "store.refused")[]) {
	const clock = new FakeClock();
	const attemptsMs: number[] = [];
	const run = (signal: AbortSignal = never) =>
		retried(
			{ clock, random: () => 1 - Number.EPSILON },
			async () => {
				attemptsMs.push(clock.monotonic());
				const code = codes[attemptsMs.length - 1];
				if (code !== undefined) throw new StoreError(code, "no");
				return "done";
			},
			signal,
		);
	return { clock, attemptsMs, run };
}

test("waits twice as long each time, up to a cap", async () => {
	const { clock, attemptsMs, run } = failing(...Array(9).fill("store.unavailable"));
	const outcome = run();
	await clock.advance(60_000);
	expect(await outcome).toBe("done");
	const waits = attemptsMs.slice(1).map((at, i) => Math.round(at - (attemptsMs[i] as number)));
	expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
	expect(clock.pending).toBe(0);
});

test("repeats what was refused only after the longest wait", async () => {
	const { clock, attemptsMs, run } = failing("store.refused");
	const outcome = run();
	await clock.advance(RETRY_CAP_MS);
	expect(await outcome).toBe("done");
	expect(attemptsMs).toEqual([0, RETRY_CAP_MS]);
});

test.each([new StoreError("store.precondition", "no"), new InputError("config.invalid", "no"), new TypeError("no")])(
	"does not repeat %s",
	async (error) => {
		let attempts = 0;
		const outcome = retried(
			{ clock: new FakeClock(), random: Math.random },
			() => {
				attempts++;
				return Promise.reject(error);
			},
			never,
		);
		await expect(outcome).rejects.toBe(error);
		expect(attempts).toBe(1);
	},
);

test("stops at once when it is asked to, between attempts and within one", async () => {
	for (const attempt of [
		() => Promise.reject(new StoreError("store.unavailable", "no")),
		(signal: AbortSignal) =>
			new Promise<never>((_, reject) => {
				signal.addEventListener("abort", () => reject(new GoneError("aborted", "stopped")));
			}),
	]) {
		const clock = new FakeClock();
		const controller = new AbortController();
		const outcome = retried({ clock, random: () => 0.5 }, attempt, controller.signal).catch((error: unknown) => error);
		await clock.advance(10);
		controller.abort();
		expect(hasCode(await outcome, "aborted")).toBe(true);
		expect(clock.pending).toBe(0);
	}
});

test("stops an attempt that takes too long, and makes another", async () => {
	const clock = new FakeClock();
	const seen: string[] = [];
	let attempts = 0;
	const outcome = retried(
		{ clock, random: () => 0, onRetry: (error) => seen.push(error.message) },
		async (signal) => {
			if (++attempts > 1) return "done";
			return clock.sleep(60_000, signal).then(() => "late");
		},
		never,
		1_000,
	);
	await clock.advance(1_001);
	expect(await outcome).toBe("done");
	expect(seen).toEqual(["The bucket gave no answer within 1000 ms"]);
});
