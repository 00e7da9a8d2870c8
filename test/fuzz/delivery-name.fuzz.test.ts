import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DELIVERY_STATES } from "#shared/store/key.ts";
import { assertObjectKey } from "#shared/store/object-key.ts";
import { printable } from "../../functions/webhooks/attempt.ts";
import { keyOf, keyOfName, nameOf, summaryOf } from "../../functions/webhooks/delivery-name.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const state = fc.constantFrom(...DELIVERY_STATES);
const almost = fc
	.array(
		fc.constantFrom(
			"~",
			"/",
			"..",
			"-",
			"0".repeat(15),
			"0".repeat(12),
			"evt_00000000",
			"wh_00000000",
			"1",
			"200",
			"none",
			"a.b",
			".json",
			"deliveries/dead/",
		),
		{ maxLength: 16 },
	)
	.map((parts) => parts.join(""));

describe("the name of a delivery", () => {
	it("is read without fail, and leads to a delivery's key or nowhere, whatever it is", () => {
		fc.assert(
			fc.property(state, fc.oneof(fc.string({ unit: "binary" }), almost), (of, text) => {
				summaryOf(of, text);
				const key = keyOfName(of, text);
				if (key === null) return;
				assertObjectKey(key);
				expect(key.startsWith(`deliveries/${of}/`)).toBe(true);
				const summary = summaryOf(of, key);
				expect(summary).not.toBeNull();
				if (summary !== null) expect(nameOf(of, keyOf(summary))).toBe(nameOf(of, key));
			}),
			{ seed, numRuns: 5000 },
		);
	});
});

describe("the answer of an endpoint", () => {
	it("is shown as text of one line, whatever it was", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 2048 }), (bytes) => {
				const text = printable(bytes);
				expect(text).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029]/u);
				expect(text.length).toBeLessThanOrEqual(500);
			}),
			{ seed, numRuns: 500 },
		);
	});
});
