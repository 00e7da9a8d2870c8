import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../audit/audit-log.ts";
import { actionWords } from "./action-words.ts";
import { type ListRange, placeAt, readBackwards } from "./backwards.ts";

const NOW = Date.parse("2026-03-01T00:00:00Z");
const HOUR_MS = 3_600_000;

function entry(atMs: number, n = 0): AuditEntry {
	return {
		id: `${atMs}-${n}`,
		at: new Date(atMs).toISOString(),
		by: { kind: "key", id: "key_1", name: "ana" },
		address: null,
		action: "putPath",
		target: "cam01",
		before: null,
		after: null,
		objects: [],
		outcome: "done",
		detail: {},
	};
}

/** As the functions list them: a range, oldest first, a hundred a page. */
function logOf(entries: readonly AuditEntry[]): { list: ListRange; asked: () => number } {
	let asked = 0;
	const sorted = entries.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
	return {
		asked: () => asked,
		async list({ fromMs, toMs, cursor }) {
			asked++;
			const range = sorted.filter(({ at }) => Date.parse(at) >= fromMs && Date.parse(at) < toMs);
			const start = Number(cursor ?? 0);
			return {
				items: range.slice(start, start + 100),
				next: range.length > start + 100 ? String(start + 100) : null,
			};
		},
	};
}

async function readAll(list: ListRange, floorMs = 0): Promise<{ pages: string[][] }> {
	const pages: string[][] = [];
	for (let place: ReturnType<typeof placeAt> | null = placeAt(NOW); place !== null; ) {
		const page = await readBackwards(list, place, floorMs);
		pages.push(page.entries.map(({ id }) => id));
		place = page.next;
	}
	return { pages };
}

describe("readBackwards", () => {
	it("tells the newest first, each once, however far they lie apart", async () => {
		const times = [1, 2, 3, 30, 400, 5_000, 40_000].map((hours) => NOW - hours * HOUR_MS);
		const { pages } = await readAll(logOf(times.map((at) => entry(at))).list);
		expect(pages.flat()).toEqual(times.map((at) => `${at}-0`));
	});

	it("asks little where nothing is", async () => {
		const { list, asked } = logOf([]);
		expect((await readAll(list)).pages.flat()).toEqual([]);
		expect(asked()).toBeLessThan(12);
	});

	it("cuts a range that has very much, and loses nothing of it", async () => {
		const many = Array.from({ length: 3_000 }, (_, i) => entry(NOW - 1 - i * 1_000));
		const { pages } = await readAll(logOf(many).list);
		expect(pages.flat()).toEqual(many.map(({ id }) => id));
		expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(500);
	});

	it("reads all of a single second however much it has", async () => {
		const burst = Array.from({ length: 900 }, (_, i) => entry(NOW - 500, i));
		expect((await readAll(logOf(burst).list)).pages.flat()).toHaveLength(900);
	});

	it("stops at the floor", async () => {
		const { list } = logOf([1, 2, 30].map((hours) => entry(NOW - hours * HOUR_MS)));
		expect((await readAll(list, NOW - 10 * HOUR_MS)).pages.flat()).toHaveLength(2);
	});
});

describe("actionWords", () => {
	it("says what was done, and names what it does not know", () => {
		expect(actionWords("createKey")).toBe("made an API key");
		expect(actionWords("toString")).toBe("toString");
	});
});
