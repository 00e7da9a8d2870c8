import { describe, expect, test } from "vitest";
import { VIDEO } from "../../test/support/timeline-builders.ts";
import { type QueuedSegment, type QueueItem, type ReleasableSegment, SegmentQueue } from "./segment-queue.ts";

function bench({ maxItems = 4, maxBytes = 1000, leftovers = [] as number[] } = {}) {
	const released: number[] = [];
	const queue = new SegmentQueue(
		{ maxItems, maxBytes },
		leftovers.map((order) => ({ order, bytes: 100 })),
	);
	let count = 0;
	const push = (bytes = 90, queuedMs?: number) => {
		const number = count++;
		const segment: ReleasableSegment = {
			startMs: 0,
			discontinuity: false,
			parts: [{ rendition: VIDEO, init: new Uint8Array(10), initHash: "0", duration: 2, bytes: new Uint8Array(bytes) }],
			release: () => released.push(number),
		};
		return queue.push(segment, queuedMs);
	};
	const spool = (item: QueuedSegment | null) => {
		if (item === null) throw new Error("There is nothing to spool");
		item.isSpooling = true;
		queue.spooled(item, { order: item.order, bytes: 100 });
		return item.order;
	};
	return { queue, push, spool, released };
}

const describeItem = (item: QueueItem | null) =>
	item === null ? null : item.kind === "end" ? "end" : `${item.isBroken ? "| " : ""}${item.order}`;

function drain(queue: SegmentQueue): (string | null)[] {
	const items = [];
	for (let item = queue.take(); item !== null; item = queue.take()) {
		items.push(describeItem(item));
		if (item.kind === "segment") queue.done(item);
	}
	return items;
}

test("gives items in order and frees memory once", () => {
	const { queue, push, released } = bench();
	push();
	push();
	queue.pushEnd();
	push();
	expect([queue.memoryItems, queue.memoryBytes]).toEqual([3, 300]);
	expect(drain(queue)).toEqual(["0", "1", "end", "2"]);
	expect(released).toEqual([0, 1, 2]);
	expect([queue.memoryItems, queue.memoryBytes]).toEqual([0, 0]);
});

describe("a limit of memory", () => {
	test.each([
		["items", { maxItems: 2 }],
		["bytes", { maxBytes: 299 }],
	])("in %s costs the oldest segment that waits, and the next one says so", (_, limits) => {
		const { queue, push, released } = bench(limits);
		push();
		push();
		expect(push().map(describeItem)).toEqual(["0"]);
		expect(released).toEqual([0]);
		expect(drain(queue)).toEqual(["| 1", "2"]);
	});

	test("does not touch what is on its way or being written", () => {
		const { queue, push } = bench({ maxItems: 3 });
		push();
		push();
		push();
		queue.take();
		const spooling = queue.nextToSpool(false)!;
		spooling.isSpooling = true;
		expect(push().map(describeItem)).toEqual(["2"]);
		spooling.isSpooling = false;
		expect(drain(queue)).toEqual(["1", "| 3"]);
	});

	test("costs a segment that alone exceeds it", () => {
		const { queue, push, released } = bench();
		expect(push(5000).map(describeItem)).toEqual(["0"]);
		expect(released).toEqual([0]);
		push();
		expect(drain(queue)).toEqual(["| 1"]);
	});
});

describe("spooling", () => {
	test("frees memory of what waits, but not of what is on its way", () => {
		const { queue, push, spool, released } = bench();
		push();
		push();
		queue.take();
		expect([spool(queue.nextToSpool(true)), spool(queue.nextToSpool(true))]).toEqual([0, 1]);
		expect(queue.nextToSpool(true)).toBeNull();
		expect(released).toEqual([1]);
		expect(queue.memoryItems).toBe(1);
	});

	test("leaves out what is on its way, unless it is asked for", () => {
		const { queue, push } = bench();
		push();
		queue.take();
		expect(queue.nextToSpool(false)).toBeNull();
		expect(queue.nextToSpool(true)?.order).toBe(0);
	});

	test("gives up the oldest that waits on disk, never for an older one", () => {
		const { queue, push, spool } = bench();
		push();
		push();
		push();
		queue.take();
		spool(queue.nextToSpool(false));
		expect(queue.oldestSpooled(0)).toBeNull();
		const oldest = queue.oldestSpooled(2)!;
		expect(oldest.order).toBe(1);
		queue.lose(oldest);
		expect(drain(queue)).toEqual(["| 2"]);
	});
});

describe("a loss", () => {
	test("breaks the segment behind it, also one that is on its way or comes later", () => {
		const { queue, push } = bench();
		push();
		push();
		const first = queue.take() as QueuedSegment;
		const second = queue.take() as QueuedSegment;
		queue.lose(first);
		expect(describeItem(second)).toBe("| 1");
		queue.lose(second);
		push();
		expect(drain(queue)).toEqual(["| 2"]);
	});
});

test("leftovers come first; what is missing between them and what is new behind them are breaks", () => {
	const { queue, push } = bench({ leftovers: [4, 5, 9] });
	push();
	push();
	expect(drain(queue)).toEqual(["| 4", "5", "| 9", "| 10", "11"]);
});

test("is crowded above half of either limit", () => {
	const { queue, push } = bench();
	push();
	push();
	expect(queue.isCrowded).toBe(false);
	push();
	expect(queue.isCrowded).toBe(true);
});

test("says when the oldest segment was pushed that is not committed", () => {
	const { queue, push } = bench();
	expect(queue.oldestQueuedMs).toBe(Number.POSITIVE_INFINITY);
	push(100, 5);
	push(100, 9);
	expect(queue.oldestQueuedMs).toBe(5);
	const first = queue.take();
	expect(queue.oldestQueuedMs).toBe(5);
	if (first?.kind === "segment") queue.done(first);
	expect(queue.oldestQueuedMs).toBe(9);
});
