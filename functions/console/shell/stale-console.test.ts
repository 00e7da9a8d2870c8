import { describe, expect, it } from "vitest";
import { mayReload, reloadWhenStale } from "./stale-console.ts";

const NOON = Date.UTC(2026, 0, 1, 12);

function memory(first: readonly [string, string][] = []) {
	const kept = new Map(first);
	return () => ({
		getItem: (key: string) => kept.get(key) ?? null,
		setItem: (key: string, value: string) => void kept.set(key, value),
	});
}

describe("a page that cannot load a part of itself", () => {
	it("loads itself again, at most once a minute", () => {
		const tab = memory();
		const moments = [0, 1, 30_000, 59_999, 60_000, 61_000, 119_999, 120_000];
		expect(moments.filter((ms) => mayReload(tab, NOON + ms))).toEqual([0, 60_000, 120_000]);
	});

	it("waits for no clock that was set back, and not for ever for what makes no sense", () => {
		const tab = memory([["sluice.reloaded", "soon"]]);
		expect(mayReload(tab, NOON)).toBe(true);
		expect(mayReload(tab, NOON - 1_000)).toBe(false);
		expect(mayReload(tab, NOON - 3_600_000)).toBe(true);
		expect(mayReload(tab, NOON - 3_600_000)).toBe(false);
	});

	it("does not where nothing is remembered", () => {
		const deaf = () => ({ getItem: () => null, setItem: () => undefined });
		const full = () => ({
			getItem: () => null,
			setItem: () => {
				throw new Error("QuotaExceededError");
			},
		});
		const closed = () => {
			throw new Error("SecurityError");
		};
		for (const tab of [deaf, full, closed]) expect(mayReload(tab, NOON)).toBe(false);
	});

	it("is told so by the event that Vite fires, and stays as it is without a network", () => {
		const tab = memory();
		let reloads = 0;
		const page = Object.assign(new EventTarget(), {
			navigator: { onLine: false },
			sessionStorage: tab(),
			location: { reload: () => reloads++ },
		});
		reloadWhenStale(page);
		const fail = () => page.dispatchEvent(new Event("vite:preloadError"));
		fail();
		expect(reloads).toBe(0);
		page.navigator.onLine = true;
		fail();
		fail();
		expect(reloads).toBe(1);
	});
});
