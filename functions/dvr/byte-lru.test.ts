import { expect, it } from "vitest";
import { ByteLru } from "./byte-lru.ts";

it("forgets what was used longest ago when it has more bytes than it may, and nothing else", () => {
	const lru = new ByteLru<string>(100);
	lru.set("a", "A", 40);
	lru.set("b", "B", 40);
	expect(lru.get("a")).toBe("A");
	lru.set("c", "C", 40);
	expect([lru.get("a"), lru.get("b"), lru.get("c"), lru.bytes]).toEqual(["A", undefined, "C", 80]);
});

it("counts what is replaced once, and keeps nothing that is larger than all of it", () => {
	const lru = new ByteLru<string>(100);
	lru.set("a", "A", 90);
	lru.set("a", "B", 60);
	expect([lru.get("a"), lru.bytes]).toEqual(["B", 60]);
	lru.set("a", "C", 101);
	expect([lru.get("a"), lru.bytes]).toEqual([undefined, 0]);
});
