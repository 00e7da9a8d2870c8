import { describe, expect, it } from "vitest";
import { MAX_LINE_LENGTH, MAX_LINES_PER_SECOND, OutputLines } from "./output-lines.ts";

function collect() {
	const lines: string[] = [];
	const time = { now: 0 };
	const output = new OutputLines(
		() => time.now,
		(line) => lines.push(line),
	);
	return { lines, time, output, write: (text: string) => output.push(new TextEncoder().encode(text)) };
}

describe("OutputLines", () => {
	it("cuts at line feeds and carriage returns, wherever the chunks end, and leaves empty lines out", () => {
		const { lines, output } = collect();
		for (const byte of new TextEncoder().encode("aé\r\n\nframe=1\rframe=2\r  \nend")) output.push(Uint8Array.of(byte));
		expect(lines).toEqual(["aé", "frame=1", "frame=2"]);
		output.end();
		expect(lines.at(-1)).toBe("end");
	});

	it("cuts a line that is too long, without keeping the rest", () => {
		const { lines, write } = collect();
		for (let i = 0; i < 100; i++) write("x".repeat(1000));
		write("\nnext\n");
		expect(lines).toEqual(["x".repeat(MAX_LINE_LENGTH), "next"]);
	});

	it("passes on so many lines in a second, and tells how many it left out", () => {
		const { lines, write, time, output } = collect();
		write("a\n".repeat(MAX_LINES_PER_SECOND + 7));
		expect(lines).toHaveLength(MAX_LINES_PER_SECOND);
		time.now = 1000;
		write("b\n");
		expect(lines.slice(-2)).toEqual(["(7 more lines were left out)", "b"]);
		write("c\n".repeat(MAX_LINES_PER_SECOND));
		output.end();
		expect(lines.at(-1)).toBe("(1 more lines were left out)");
	});
});
