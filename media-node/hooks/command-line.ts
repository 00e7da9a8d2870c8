import { InputError } from "#shared/problem.ts";
import { isScriptWord } from "./script-word.ts";

/** Longest command of a hook, in UTF-16 units. */
export const MAX_COMMAND_LENGTH = 32_768;
/** Longest sum of the values put into a command, in UTF-16 units: below what Linux accepts for one argument. */
export const MAX_EXPANDED_LENGTH = 100_000;

/** A part of a word. In a `literal` one, a dollar sign was escaped and stands for itself. */
type Piece = { readonly text: string; readonly literal: boolean };
/** One word of a command: its parts, quotes and backslashes resolved, variables not yet. */
export type Word = readonly Piece[];

/** Variables by name. */
export type Environment = Readonly<Record<string, string>>;

/** What a backslash escapes between double quotes; before anything else it stands for itself (POSIX XCU 2.2.3). */
const ESCAPED_IN_QUOTES = new Set(["$", "`", '"', "\\", "\n"]);
const VARIABLE = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g;
/** The same for a script, where a dollar sign after a backslash belongs to the script. */
const VARIABLE_IN_SCRIPT = new RegExp(`\\\\[\\s\\S]|${VARIABLE.source}`, "g");
/** Characters that mean nothing to a shell, inside its quotes and outside. */
const PLAIN = /^[A-Za-z0-9_./:@%+,-]*$/;

/**
 * Splits a command as a shell splits words (POSIX XCU 2.2: single and double quotes, backslash), and nothing more:
 * no operators, no globs, no comments, no substitution. Throws an InputError `config.invalid` for an unbalanced quote,
 * a backslash at the end, a NUL, or more than {@link MAX_COMMAND_LENGTH}.
 */
export function splitCommandLine(line: string): Word[] {
	if (line.length > MAX_COMMAND_LENGTH) {
		throw invalid(`The command has ${line.length} characters, and at most ${MAX_COMMAND_LENGTH} are allowed`);
	}
	if (line.includes("\0")) throw invalid("The command contains a NUL character; remove it");
	const words: Word[] = [];
	let word: Piece[] | null = null;
	let at = 0;
	const add = (text: string, literal = false) => {
		word ??= [];
		const last = word.at(-1);
		// One piece for a run of characters, so that a variable's name is never cut.
		if (last?.literal === literal) word[word.length - 1] = { text: last.text + text, literal };
		else if (text !== "") word.push({ text, literal });
	};
	while (at < line.length) {
		const char = line.charAt(at);
		if (char === " " || char === "\t" || char === "\n" || char === "\r") {
			if (word !== null) words.push(word);
			word = null;
			at++;
		} else if (char === "'") {
			const end = line.indexOf("'", at + 1);
			if (end < 0) throw unbalanced("single quote", at);
			add(line.slice(at + 1, end));
			at = end + 1;
		} else if (char === '"') {
			at = readDoubleQuoted(line, at, add);
		} else if (char === "\\") {
			if (at + 1 === line.length) throw invalid("The command ends with a backslash that escapes nothing; remove it");
			const next = line.charAt(at + 1);
			if (next !== "\n") add(next, next === "$");
			at += 2;
		} else {
			const start = at;
			while (at < line.length && !/[\s'"\\]/.test(line.charAt(at))) at++;
			// White space that separates nothing, such as a form feed, is a character like any other.
			if (at === start) at++;
			add(line.slice(start, at));
		}
	}
	if (word !== null) words.push(word);
	return words;
}

/** Reads from the double quote at `start` and returns the position after the closing one. */
function readDoubleQuoted(line: string, start: number, add: (text: string, literal?: boolean) => void): number {
	add("");
	let at = start + 1;
	while (at < line.length) {
		const char = line.charAt(at);
		if (char === '"') return at + 1;
		const next = line.charAt(at + 1);
		if (char === "\\" && ESCAPED_IN_QUOTES.has(next)) {
			if (next !== "\n") add(next, next === "$");
			at += 2;
		} else {
			add(char);
			at++;
		}
	}
	throw unbalanced("double quote", start);
}

/**
 * The program and the arguments of a command. A variable of `environment`, as `$NAME` or `${NAME}`, or else of the
 * node's `own` environment, is replaced inside its word, within single quotes too, as MediaMTX does; its value is never
 * split and never read as quoting. Any other `$` stays. A word that is a script for a shell or an interpreter gets a
 * value only if it consists of letters, digits and `_./:@%+,-`; any other value stays a reference, which a shell
 * resolves from its own environment, as a value.
 * Throws an InputError `config.invalid` for a command that is malformed, empty, too long, or whose program's name has a
 * variable of `environment` in it: a client would choose what is executed.
 */
export function commandArguments(line: string, environment: Environment, own: NodeJS.ProcessEnv = {}): string[] {
	const words = splitCommandLine(line);
	const raw = words.map((word) => word.map((piece) => piece.text).join(""));
	if ((raw[0] ?? "") === "") throw invalid("The command is empty; write a program and its arguments");
	let total = 0;
	return words.map((word, index) => {
		const script = isScriptWord(raw, index);
		const replaced = (reference: string, braced: string | undefined, bare: string | undefined) => {
			const name = braced ?? bare ?? "";
			const given = lookUp(environment, name);
			if (given !== undefined && index === 0) {
				throw invalid(`The program's name contains ${reference}; write the name of one program`);
			}
			const value = given ?? lookUp(own, name);
			if (value === undefined || (script && !PLAIN.test(value))) return reference;
			total += value.length;
			if (total > MAX_EXPANDED_LENGTH) {
				throw invalid(`The values of the command's variables have more than ${MAX_EXPANDED_LENGTH} characters in all`);
			}
			return value;
		};
		return word
			.map(({ text, literal }) => (literal ? text : text.replace(script ? VARIABLE_IN_SCRIPT : VARIABLE, replaced)))
			.join("");
	});
}

function lookUp(environment: NodeJS.ProcessEnv, name: string): string | undefined {
	return Object.hasOwn(environment, name) ? environment[name] : undefined;
}

const invalid = (message: string) => new InputError("config.invalid", message);
const unbalanced = (what: string, at: number) =>
	invalid(`The command has a ${what} at character ${at + 1} that is never closed; close it or escape it`);
