import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { commandArguments, MAX_COMMAND_LENGTH, splitCommandLine } from "./command-line.ts";

const split = (line: string) => splitCommandLine(line).map((word) => word.map((piece) => piece.text).join(""));

describe("splitCommandLine", () => {
	// What `sh -c 'printf "[%s]" …'` prints for the same words.
	it.each<[string, string[]]>([
		["ffmpeg -i a.mp4", ["ffmpeg", "-i", "a.mp4"]],
		["  a\t b\n c\r\n", ["a", "b", "c"]],
		["a 'b c' \"d e\"", ["a", "b c", "d e"]],
		["a'b'\"c\"d", ["abcd"]],
		["a '' \"\" b", ["a", "", "", "b"]],
		["'a\\b' 'c\"d'", ["a\\b", 'c"d']],
		['"a\\"b" "c\\\\d" "e\\f" "g\'h"', ['a"b', "c\\d", "e\\f", "g'h"]],
		["a\\ b \\'c \\\"d \\\\", ["a b", "'c", '"d', "\\"]],
		['a\\\nb "c\\\nd"', ["ab", "cd"]],
		["a;b | c && $(d) `e` > f # *", ["a;b", "|", "c", "&&", "$(d)", "`e`", ">", "f", "#", "*"]],
		["é\u{1F600} a\u00a0b\fc", ["é\u{1F600}", "a\u00a0b\fc"]],
		["", []],
	])("splits %j as a shell splits words, without operators and substitution", (line, words) => {
		expect(split(line)).toEqual(words);
	});

	it.each([
		["a 'b", "single quote at character 3"],
		["a \"b'", "double quote at character 3"],
		['"a\\"', "double quote at character 1"],
		["a \\", "backslash"],
		["a\0b", "NUL"],
	])("refuses %j and says what is wrong", (line, message) => {
		expect(() => splitCommandLine(line)).toThrow(InputError);
		expect(() => splitCommandLine(line)).toThrow(message);
	});

	it("refuses a command above the maximum, and takes one at it", () => {
		expect(split("a".repeat(MAX_COMMAND_LENGTH))[0]?.length).toBe(MAX_COMMAND_LENGTH);
		expect(() => splitCommandLine("a".repeat(MAX_COMMAND_LENGTH + 1))).toThrow(InputError);
	});

	it("gives the same words for every beginning of a command, or refuses it", () => {
		const line = "ffmpeg -i 'a b' \"c \\\" $MTX_PATH\" d\\ e '' f";
		for (let length = 0; length <= line.length; length++) {
			try {
				const words = split(line.slice(0, length));
				const all = split(line);
				expect(words.slice(0, -1)).toEqual(all.slice(0, Math.max(0, words.length - 1)));
			} catch (error) {
				expect(error).toBeInstanceOf(InputError);
			}
		}
	});
});

describe("commandArguments", () => {
	const env = { MTX_PATH: "live/cam1", G1: "cam1", RTSP_PORT: "8554", MTX_QUERY: "a b;$(touch /x)`id`'\"\\&$G1" };

	it("replaces both spellings of a variable, between quotes of either kind too", () => {
		expect(commandArguments(`p rtsp://localhost:$RTSP_PORT/\${MTX_PATH}x '{"g":"$G1"}' "$G1"`, env)).toEqual([
			"p",
			"rtsp://localhost:8554/live/cam1x",
			'{"g":"cam1"}',
			"cam1",
		]);
	});

	it("leaves what is not a variable of its environment, also names of the language's own objects", () => {
		const line = `p $NONE \${NONE} $ $1 $$ \${ \${} \${G1 $G10 $__proto__ $constructor a$`;
		expect(commandArguments(line, env)).toEqual(line.split(" "));
	});

	it("leaves a variable whose dollar sign is escaped", () => {
		expect(commandArguments('p \\$G1 "\\$G1" "\\\\$G1"', env)).toEqual(["p", "$G1", "$G1", "\\cam1"]);
	});

	it("keeps a value with spaces, quotes and operators one argument, and does not replace inside it", () => {
		expect(commandArguments("p $MTX_QUERY x=$MTX_QUERY '$MTX_QUERY'", env)).toEqual([
			"p",
			env.MTX_QUERY,
			`x=${env.MTX_QUERY}`,
			env.MTX_QUERY,
		]);
	});

	it("keeps an empty value an argument", () => {
		expect(commandArguments("p $MTX_QUERY x", { MTX_QUERY: "" })).toEqual(["p", "", "x"]);
	});

	it("takes variables of the node where the hook has none, the hook's first", () => {
		expect(commandArguments("$HOME/bin/p $HOME $G1", env, { HOME: "/home/node", G1: "other" })).toEqual([
			"/home/node/bin/p",
			"/home/node",
			"cam1",
		]);
	});

	it.each([
		"sh -c 'echo $MTX_QUERY'",
		'/bin/bash -ec "echo $MTX_QUERY"',
		"nice -n 5 bash -c -e 'echo $MTX_QUERY'",
		"docker exec camera sh -c 'echo $MTX_QUERY'",
		"python3 -c 'print(\"$MTX_QUERY\")'",
		"perl -e '$MTX_QUERY'",
		"perl -ne '$MTX_QUERY'",
		"node --eval='$MTX_QUERY'",
		"node -e '$MTX_QUERY'",
		"ssh host echo '$MTX_QUERY'",
		`env X=1 su camera -c '\${MTX_QUERY}'`,
	])("never puts a value that could be code into a script: %s", (line) => {
		expect(commandArguments(line, env)).toEqual(split(line));
	});

	it("puts a plain value into a script, also between the script's single quotes, where its shell would not", () => {
		expect(commandArguments(`bash -c "curl -d '{\\"p\\":\\"$MTX_PATH\\"}' $MTX_QUERY \\$G1"`, env)).toEqual([
			"bash",
			"-c",
			'curl -d \'{"p":"live/cam1"}\' $MTX_QUERY $G1',
		]);
		expect(commandArguments("bash -c 'echo \\$G1'", env)).toEqual(["bash", "-c", "echo \\$G1"]);
	});

	it("gives a script's parameters any value: they are not code", () => {
		expect(commandArguments("bash -c 'echo \"$1\"' name $MTX_QUERY", env)[4]).toBe(env.MTX_QUERY);
		expect(commandArguments("sh notify.sh $MTX_QUERY", env)[2]).toBe(env.MTX_QUERY);
		expect(commandArguments("ffmpeg -c copy -e $MTX_QUERY", env)[4]).toBe(env.MTX_QUERY);
	});

	it.each(["$MTX_PATH a", `/hooks/\${G1}.sh`, "'$MTX_QUERY'"])(
		"refuses a program that a client would name: %s",
		(line) => {
			expect(() => commandArguments(line, env)).toThrow("program's name contains");
		},
	);

	it.each(["", "  \n", "''", "'' a"])("refuses the empty command %j", (line) => {
		expect(() => commandArguments(line, env)).toThrow("is empty");
	});

	it("refuses values that are too long in all, before it builds the arguments", () => {
		const long = { MTX_QUERY: "x".repeat(30_000) };
		expect(commandArguments("p $MTX_QUERY $MTX_QUERY $MTX_QUERY", long)).toHaveLength(4);
		expect(() => commandArguments(`p ${"$MTX_QUERY".repeat(3000)}`, long)).toThrow(InputError);
	});
});
