import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { commandArguments, splitCommandLine } from "../../media-node/hooks/command-line.ts";
import { hookEnvironment } from "../../media-node/hooks/hook-environment.ts";
import { OutputLines } from "../../media-node/hooks/output-lines.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

const fragment = fc.constantFrom(
	..."'\"\\ \t\n$;|&(){}`*~#=",
	"$MTX_PATH",
	"$" + "{MTX_QUERY}",
	"sh",
	"bash -c ",
	"python3",
	"-e",
	"ffmpeg",
	"é",
	"\u{1F600}",
	"\0",
);
const commandLine = fc
	.array(fc.oneof(fragment, fc.string({ maxLength: 5 })), { maxLength: 30 })
	.map((all) => all.join(""));
const value = fc
	.array(fc.oneof(fragment, fc.string({ unit: "binary", maxLength: 5 })), { maxLength: 10 })
	.map((all) => all.join(""));

describe("commands of hooks", () => {
	it("are split, or refused as an error of the configuration, whatever they contain", () => {
		fc.assert(
			fc.property(commandLine, value, value, (line, path, query) => {
				try {
					const words = splitCommandLine(line);
					const env = hookEnvironment({ rtspPort: 8554, path, query });
					// A value never makes a word more or less.
					expect(commandArguments(line, env)).toHaveLength(words.length);
				} catch (error) {
					expect(error).toBeInstanceOf(InputError);
				}
			}),
			{ seed, numRuns: 3000 },
		);
	});

	it("get any text back as one argument that is quoted as a shell quotes", () => {
		fc.assert(
			fc.property(fc.array(value, { maxLength: 5 }), (all) => {
				const args = all.map((text) => text.replaceAll("\0", ""));
				const single = args.map((text) => `'${text.replaceAll("'", "'\\''")}'`);
				expect(commandArguments(["p", ...single].join(" "), {})).toEqual(["p", ...args]);
				const double = args.map((text) => `"${text.replace(/["\\$`]/g, "\\$&")}"`);
				expect(commandArguments(["p", ...double].join(" "), { MTX_PATH: "x" })).toEqual(["p", ...args]);
			}),
			{ seed, numRuns: 1000 },
		);
	});

	it("may write anything: lines stay short and whole, however the bytes arrive", () => {
		fc.assert(
			fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 10 }), (chunks) => {
				const lines: string[] = [];
				const output = new OutputLines(
					() => 0,
					(line) => lines.push(line),
				);
				for (const chunk of chunks) output.push(chunk);
				output.end();
				expect(lines.length).toBeLessThanOrEqual(51);
				expect(lines.every((line) => line.length <= 1024 && !/[\r\n]/.test(line))).toBe(true);
			}),
			{ seed, numRuns: 300 },
		);
	});
});
