import { describe, expect, it } from "vitest";
import type { SctpData } from "./sctp-chunk.ts";
import { SctpInbound, type SctpMessage } from "./sctp-inbound.ts";

const FIRST = 0xffff_fffe;

function inbound() {
	const messages: SctpMessage[] = [];
	const half = new SctpInbound(FIRST, (message) => messages.push(message));
	const texts = () => messages.map(({ bytes }) => new TextDecoder().decode(bytes));
	return { half, texts };
}

/** The part `at` after the first; a whole message unless it is said otherwise. */
function part(at: number, text: string, more: Partial<SctpData> = {}): SctpData {
	const payload = new TextEncoder().encode(text);
	const flags = { unordered: false, begins: true, ends: true };
	return { tsn: (FIRST + at) >>> 0, stream: 1, ssn: at, ppid: 53, payload, ...flags, ...more };
}

describe("what arrives over SCTP", () => {
	it("is put together from parts in any order, over the end of the numbers", () => {
		const { half, texts } = inbound();
		const parts = [
			part(0, "a", { ssn: 0, ends: false }),
			part(1, "b", { ssn: 0, begins: false, ends: false }),
			part(2, "c", { ssn: 0, begins: false, ends: false }),
			part(3, "d", { ssn: 0, begins: false }),
		];
		for (const at of [3, 1, 0, 2]) expect(half.data(parts[at] as SctpData)).toBe(true);
		expect(texts()).toEqual(["abcd"]);
		expect(half.sack).toMatchObject({ cumulativeTsn: 1, gaps: [] });
		expect(half.heldBytes).toBe(0);
	});

	it("is acknowledged with the gaps in it, RFC 9260 §3.3.4", () => {
		const { half } = inbound();
		for (const at of [0, 2, 3, 5, 9]) half.data(part(at, "x"));
		expect(half.sack).toMatchObject({
			cumulativeTsn: FIRST,
			gaps: [
				{ first: 2, last: 3 },
				{ first: 5, last: 5 },
				{ first: 9, last: 9 },
			],
		});
		half.data(part(1, "x"));
		expect(half.sack).toMatchObject({
			cumulativeTsn: 1,
			gaps: [
				{ first: 2, last: 2 },
				{ first: 6, last: 6 },
			],
		});
	});

	it("is given on once, however often it comes", () => {
		const { half, texts } = inbound();
		for (const at of [0, 0, 1, 2, 1, 0]) half.data(part(at, `${at}`));
		expect(texts()).toEqual(["0", "1", "2"]);
	});

	it("waits for what is before it on its stream alone", () => {
		const { half, texts } = inbound();
		half.data(part(1, "second", { ssn: 1 }));
		half.data(part(2, "other", { ssn: 0, stream: 2 }));
		half.data(part(3, "unordered", { ssn: 0, unordered: true }));
		expect(texts()).toEqual(["other", "unordered"]);
		half.data(part(0, "first", { ssn: 0 }));
		expect(texts()).toEqual(["other", "unordered", "first", "second"]);
	});

	it("is dropped and acknowledged on a stream that is not there", () => {
		const { half, texts } = inbound();
		half.data(part(0, "x", { stream: 1024 }));
		expect([texts(), half.sack.cumulativeTsn, half.heldBytes]).toEqual([[], FIRST, 0]);
	});

	it("has no message of more than 64 KiB", () => {
		const { half } = inbound();
		const text = "x".repeat(1024);
		for (let at = 0; at < 64; at++) {
			expect(half.data(part(at, text, { ssn: 0, begins: at === 0, ends: false }))).toBe(true);
		}
		expect(half.data(part(64, "x", { ssn: 0, begins: false }))).toBe(false);
	});

	it("is let go of when the peer gives it up, and what waited for it is given on", () => {
		const { half, texts } = inbound();
		half.data(part(0, "half of ", { ssn: 0, ends: false }));
		half.data(part(3, "third", { ssn: 2 }));
		half.data(part(2, "second", { ssn: 1 }));
		half.forward({ cumulativeTsn: (FIRST + 1) >>> 0, streams: [{ stream: 1, ssn: 0 }] });
		expect([texts(), half.heldBytes]).toEqual([["second", "third"], 0]);
		expect(half.sack.cumulativeTsn).toBe(1);
	});

	it("begins at number 0 again on a stream that was reset, when all before has come", () => {
		const { half, texts } = inbound();
		half.data(part(0, "old", { ssn: 0 }));
		expect(half.reset({ request: 1, lastTsn: (FIRST + 1) >>> 0, streams: [1] })).toBe(false);
		expect(half.reset({ request: 1, lastTsn: FIRST, streams: [1] })).toBe(true);
		half.data(part(1, "new", { ssn: 0 }));
		expect(texts()).toEqual(["old", "new"]);
	});
});
