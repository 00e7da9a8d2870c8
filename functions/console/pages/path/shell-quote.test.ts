import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { shellCommand, shellQuote } from "./shell-quote.ts";

const WORDS = [
	"plain",
	"",
	"two words",
	"it's",
	"''",
	"$HOME",
	"`id`",
	"$(id)",
	"a;b&c|d>e",
	"srt://[2001:db8::1]:8890?streamid=publish:a/b&passphrase=x y",
	"~",
	"-x",
	"*",
	"!",
	"!!",
	"#no",
	"back\\slash",
	'"double"',
	"line\nfeed",
];

describe("shellQuote", () => {
	test("leaves words alone that mean nothing else to a shell", () => {
		expect(shellQuote("rtsp://example.com:8554/site/cam-01.b")).toBe("rtsp://example.com:8554/site/cam-01.b");
	});

	test.each(WORDS)("gives a shell the word %j as it was", (word) => {
		expect(execFileSync("sh", ["-c", `printf %s ${shellQuote(word)}`], { encoding: "utf8" })).toBe(word);
	});
});

describe("shellCommand", () => {
	test("makes one command of several lines", () => {
		const command = shellCommand(["printf", "%s|"], ["a b", "it's"], ["$c"]);
		expect(command).toBe("printf '%s|' \\\n  'a b' 'it'\\''s' \\\n  '$c'");
		expect(execFileSync("sh", ["-c", command], { encoding: "utf8" })).toBe("a b|it's|$c|");
	});
});
