import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import type { ConfigFault } from "../../media-node/config/config-error.ts";
import { readConfig } from "../../media-node/config/read-config.ts";
import { mutated } from "../support/mutate.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
/** Of one input. Reading the largest of the files takes a few hundredths of it. */
const MAX_CPU_MS = 1000;

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/mediamtx");
const FILES = readdirSync(FOLDER)
	.filter((file) => file.endsWith(".yml"))
	.map((file) => readFileSync(path.join(FOLDER, file), "utf8"))
	// What is changed in a comment changes nothing.
	.map((text) => text.replaceAll(/^\s*(#.*)?\n/gm, ""));
const LINES = [...new Set(FILES.flatMap((text) => text.split("\n")))];

/** What YAML and the schema have rules for: values, marks, anchors, variables. */
const ODD = [
	"",
	"~",
	"[]",
	"{}",
	"- ",
	"? ",
	": ",
	"&a ",
	"*a",
	"<<: *a",
	"!!binary ",
	"!!str ",
	"%YAML 1.1",
	"---",
	"...",
	"|",
	">-",
	"'",
	'"',
	"\t",
	"#",
	"0x7fffffffffffffff",
	"1e999",
	"-1",
	".nan",
	"99999h",
	"9".repeat(400),
	"{{{{{{{{",
	"[[[[[[[[",
	`\${UNSET}`,
	`\${UNSET:[1, 2]}`,
	`\${SET}`,
	`\${UNSET:*a}`,
	`\${ALIAS}`,
	"yes",
	"__proto__",
	"constructor",
	"~^(.*)+$",
	"~(",
	"all_others",
	"\u0000",
	"\u{1F4F7}",
];

type LineEdit = {
	readonly kind: "remove" | "double" | "swap" | "indent" | "outdent" | "value" | "key" | "foreign" | "odd" | "cut";
	readonly at: number;
	readonly other: number;
};

/** One of the files, with up to eight of its lines left out, doubled, moved, or said otherwise. */
const rewritten: fc.Arbitrary<string> = fc
	.tuple(
		fc.constantFrom(...FILES),
		fc.array(
			fc.record({
				kind: fc.constantFrom<LineEdit["kind"]>(
					"remove",
					"double",
					"swap",
					"indent",
					"outdent",
					"value",
					"key",
					"foreign",
					"odd",
					"cut",
				),
				at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
				other: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
			}),
			{ maxLength: 8 },
		),
	)
	.map(([text, edits]) => {
		const lines = text.split("\n");
		for (const edit of edits) rewrite(lines, edit);
		return lines.join("\n");
	});

function rewrite(lines: string[], { kind, at, other }: LineEdit): void {
	const index = Math.floor(at * lines.length);
	const line = lines[index] ?? "";
	const pick = <T>(from: readonly T[]): T => from[Math.floor(other * from.length)]!;
	const [before = "", name = "", after = ""] = /^([\s-]*)([^:]*)(.*)$/.exec(line)?.slice(1) ?? [];
	switch (kind) {
		case "remove":
			lines.splice(index, 1);
			break;
		case "double":
			lines.splice(index, 0, line);
			break;
		case "swap":
			[lines[index], lines[Math.floor(other * lines.length)]] = [pick(lines), line];
			break;
		case "indent":
			lines[index] = " ".repeat(1 + Math.floor(other * 4)) + line;
			break;
		case "outdent":
			lines[index] = line.replace(/^ {1,2}/, "");
			break;
		case "value":
			lines[index] = `${before}${name}: ${pick(ODD)}`;
			break;
		case "key":
			lines[index] = `${before}${pick(ODD)}${after}`;
			break;
		case "foreign":
			lines.splice(index, 0, pick(LINES));
			break;
		case "odd": {
			const column = Math.floor(other * (line.length + 1));
			lines[index] = line.slice(0, column) + pick(ODD) + line.slice(column);
			break;
		}
		case "cut":
			lines[index] = line.slice(0, Math.floor(other * line.length));
			break;
	}
}

type Outcome = { readonly faults: readonly ConfigFault[] | null; readonly cpuMs: number };

/** Reads `text`; whatever is thrown but an InputError is a bug, and fails. */
function outcomeOf(text: string): Outcome {
	const began = process.cpuUsage();
	const cpuMs = () => {
		const { user, system } = process.cpuUsage(began);
		return (user + system) / 1000;
	};
	try {
		const { settings } = readConfig(text, {
			file: "mediamtx.yml",
			mediamtx: true,
			environment: { SET: "set", ALIAS: "&b [*b, *c]" },
		});
		expect(settings.pathDefaults).toBeTypeOf("object");
		return { faults: null, cpuMs: cpuMs() };
	} catch (error) {
		if (!(error instanceof InputError)) throw error;
		expect(error.code).toBe("config.invalid");
		return { faults: error.data["faults"] as ConfigFault[], cpuMs: cpuMs() };
	}
}

/** The faults of a file that is refused name at least one place, all within the file. */
function check(text: string): "accepted" | "refused" {
	const { faults, cpuMs } = outcomeOf(text);
	expect(cpuMs, "milliseconds of CPU").toBeLessThan(MAX_CPU_MS);
	if (faults === null) return "accepted";
	expect(faults.length).toBeGreaterThan(0);
	const lines = text.split(/\r\n|\r|\n/).length;
	for (const { place, message } of faults) {
		expect(message).not.toBe("");
		if ("variable" in place) throw new Error(`${place.variable} was not set, and is blamed`);
		expect(place.line).toBeGreaterThanOrEqual(1);
		expect(place.line).toBeLessThanOrEqual(lines);
		expect(place.column).toBeGreaterThanOrEqual(1);
	}
	return "refused";
}

describe(`configuration files gone wrong (FUZZ_SEED=${SEED})`, () => {
	it("are read, or refused with places in the file, when their lines are mixed up", () => {
		const outcomes = { accepted: 0, refused: 0 };
		fc.assert(
			fc.property(rewritten, (text) => void outcomes[check(text)]++),
			{ seed: SEED, numRuns: 1500 },
		);
		expect(outcomes.accepted).toBeGreaterThan(100);
		expect(outcomes.refused).toBeGreaterThan(500);
	});

	it("are read, or refused with places in the file, when their bytes are changed", () => {
		const files = FILES.filter((text) => text.length < 8192).map((text) => Uint8Array.from(Buffer.from(text)));
		const outcomes = { accepted: 0, refused: 0 };
		fc.assert(
			fc.property(mutated(files, 10), (bytes) => void outcomes[check(Buffer.from(bytes).toString())]++),
			{ seed: SEED, numRuns: 1500 },
		);
		expect(outcomes.accepted).toBeGreaterThan(50);
		expect(outcomes.refused).toBeGreaterThan(300);
	});

	it.each([
		["aliases of aliases", `a: &a [${"x,".repeat(9)}x]\n${bomb("a")}`],
		["ten thousand brackets", "[".repeat(10_000)],
		["ten thousand braces", `paths: ${"{a: ".repeat(10_000)}`],
		["a thousand levels of keys", Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}k:`).join("\n")],
		["a hundred thousand spaces", `paths:${" ".repeat(100_000)}x: y: z`],
		["ten thousand unclosed variables", `logFile: ${`\${A`.repeat(10_000)}`],
		["a name that is a slow expression", `paths:\n  "~^(a+)+$":\n  "~(x*)*y${"(".repeat(500)}":\n`],
		["ten thousand unknown keys", Array.from({ length: 10_000 }, (_, i) => `unknownKey${i}: 1`).join("\n")],
		["one path two thousand times", `paths:\n${"  cam:\n    recrod: yes\n".repeat(2000)}`],
		["a key as long as a file", `? ${"x".repeat(1_000_000)}\n: 1`],
		[
			"five thousand paths",
			`paths:\n${Array.from({ length: 5000 }, (_, i) => `  cam${i}:\n    recrod: yes\n`).join("")}`,
		],
		["one long word", "x".repeat(1_000_000)],
		["an unclosed quote", `logFile: "${"\\".repeat(100_000)}`],
	])("cost less than a second of CPU: %s", (_, text) => {
		check(text);
	});
});

/** Each line ten times the one before. */
function bomb(first: string): string {
	return [..."bcdefghi"]
		.reduce<{ lines: string[]; last: string }>(
			({ lines, last }, name) => ({
				lines: [...lines, `${name}: &${name} [${Array.from({ length: 10 }, () => `*${last}`).join(", ")}]`],
				last: name,
			}),
			{ lines: [], last: first },
		)
		.lines.join("\n");
}
