import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ListPager, nextOfPage } from "./list-pager.ts";
import { compareKeys } from "./object-key.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20261121);
const key = fc.string({ unit: fc.constantFrom("a", "b", "/", "-", "é", "🎥"), minLength: 1, maxLength: 6 });

/** All pages of a listing, one after the other. */
function pageThrough(sorted: string[], prefix: string, delimiter: string, limit: number): string[] {
	const all: string[] = [];
	let startAfter: string | undefined;
	for (;;) {
		const pager = new ListPager(prefix, { delimiter, limit, startAfter });
		for (const key of sorted) if (!pager.skips(key) && !pager.add(key)) break;
		const page = [...pager.keys, ...pager.prefixes];
		expect(page.length).toBeLessThanOrEqual(limit);
		if (pager.next !== null) expect(pager.next).toBe(nextOfPage(pager.keys, pager.prefixes));
		all.push(...page);
		if (pager.next === null) return all;
		startAfter = pager.next;
	}
}

describe("ListPager", () => {
	it("gives each key or group once, whatever the size of the pages", () => {
		fc.assert(
			fc.property(
				fc.uniqueArray(key, { maxLength: 20 }),
				fc.constantFrom("", "a", "a/", "b-"),
				fc.constantFrom("", "/", "-", "a/"),
				fc.integer({ min: 1, max: 5 }),
				(keys, prefix, delimiter, limit) => {
					const expected = new Set(
						keys
							.filter((key) => key.startsWith(prefix))
							.map((key) => {
								const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
								return at === -1 ? key : key.slice(0, at + delimiter.length);
							}),
					);
					const all = pageThrough([...keys].sort(compareKeys), prefix, delimiter, limit);
					expect(all.sort(compareKeys)).toEqual([...expected].sort(compareKeys));
				},
			),
			{ seed, numRuns: 2000 },
		);
	});

	it("says which folders need not be read", () => {
		const pager = new ListPager("", { delimiter: "/", startAfter: "b/5" });
		expect(pager.skips("a/")).toBe(true);
		expect(pager.skips("b/")).toBe(false);
		expect(pager.skips("c/")).toBe(false);
		pager.add("c/1/2");
		expect(pager.skips("c/2/")).toBe(true);
		expect(pager.skips("d/")).toBe(false);
	});

	it("ends exactly at its limit without another page", () => {
		const pager = new ListPager("", { limit: 2 });
		expect([pager.add("a"), pager.add("b"), pager.next]).toEqual([true, true, null]);
		expect([pager.add("c"), pager.next]).toEqual([false, "b"]);
	});
});
