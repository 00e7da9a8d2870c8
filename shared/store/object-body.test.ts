import { describe, expect, it } from "vitest";
import { streamOf } from "./object-body.ts";

async function* chunks(...lengths: number[]): AsyncGenerator<Uint8Array> {
	for (const length of lengths) {
		if (length < 0) throw new Error("broken");
		yield new Uint8Array(length);
	}
}

/** A stream, and how often what it comes from was closed. */
function opened(...lengths: number[]) {
	const counter = { closed: 0 };
	const stream = streamOf(chunks(...lengths), {
		translate: () => new Error("translated"),
		close: async () => void counter.closed++,
	});
	return { stream, counter };
}

describe("streamOf", () => {
	it("gives the chunks that are not empty, and closes at the end", async () => {
		const { stream, counter } = opened(0, 3, 0, 0, 5, 0);
		const lengths: number[] = [];
		for await (const chunk of stream) lengths.push(chunk.length);
		expect(lengths).toEqual([3, 5]);
		expect(counter.closed).toBe(1);
	});

	it("translates an error, and closes", async () => {
		const { stream, counter } = opened(3, -1);
		const reader = stream.getReader();
		await reader.read();
		await expect(reader.read()).rejects.toThrow("translated");
		expect(counter.closed).toBe(1);
	});

	it("closes when it is cancelled, even before anything was read", async () => {
		const { stream, counter } = opened(3);
		await stream.cancel();
		expect(counter.closed).toBe(1);
	});

	it("takes nothing before it is read", async () => {
		let taken = 0;
		const stream = streamOf(
			(function* () {
				taken++;
				yield new Uint8Array(1);
			})(),
		);
		await Promise.resolve();
		expect(taken).toBe(0);
		await stream.getReader().read();
		expect(taken).toBe(1);
	});
});
