import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { settle } from "../../test/support/fake-clock.ts";
import { Turnstile } from "./turnstile.ts";

const full = () => new InputError("path.conflict", "full");

describe("a turnstile", () => {
	it("lets as many in at once as it says, in order, and is idle after", async () => {
		const turnstile = new Turnstile({ atOnce: 2, maxWaiting: 10, full });
		const running = new Map<number, () => void>();
		const started: number[] = [];
		const all = [0, 1, 2, 3].map((n) =>
			turnstile.pass(async () => {
				started.push(n);
				await new Promise<void>((finish) => running.set(n, finish));
				return n;
			}),
		);
		await settle();
		expect(started).toEqual([0, 1]);
		running.get(1)?.();
		await settle();
		expect(started).toEqual([0, 1, 2]);
		for (const n of [0, 2]) running.get(n)?.();
		await settle();
		running.get(3)?.();
		expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
		expect(turnstile.idle).toBe(true);
	});

	it("goes on after work that fails", async () => {
		const turnstile = new Turnstile({ atOnce: 1, maxWaiting: 10, full });
		const failed = turnstile.pass(() => Promise.reject(new Error("no")));
		const next = turnstile.pass(() => Promise.resolve("yes"));
		await expect(failed).rejects.toThrow("no");
		expect(await next).toBe("yes");
		expect(turnstile.idle).toBe(true);
	});

	it("refuses more than may wait", async () => {
		const turnstile = new Turnstile({ atOnce: 1, maxWaiting: 1, full });
		const { promise, resolve: finish } = Promise.withResolvers<void>();
		const first = turnstile.pass(() => promise);
		const second = turnstile.pass(() => Promise.resolve());
		await expect(turnstile.pass(() => Promise.resolve())).rejects.toMatchObject({ code: "path.conflict" });
		finish();
		await Promise.all([first, second]);
	});
});
