import { describe, expect, it } from "vitest";
import { formatBits, formatBytes, formatMoney } from "./format.ts";

describe("formatBytes", () => {
	it.each([
		[0, "0 B"],
		[0.4, "0.4 B"],
		[999, "999 B"],
		[1000, "1 kB"],
		[1_536_000, "1.54 MB"],
		[999_999, "1 MB"],
		[5e18, "5000 PB"],
	])("says %d bytes as %s", (bytes, text) => {
		expect(formatBytes(bytes)).toBe(text);
	});
});

describe("formatBits", () => {
	it("has the unit of a rate", () => {
		expect(formatBits(2_400_000)).toBe("2.4 Mbit/s");
	});
});

describe("formatMoney", () => {
	it.each([
		[0, "$0.00"],
		[0.00418, "$0.0042"],
		[0.5, "$0.50"],
		[12.345, "$12.35"],
		[1234, "$1,234.00"],
	])("says %d as %s", (amount, text) => {
		expect(formatMoney(amount, "USD")).toBe(text);
	});
});
