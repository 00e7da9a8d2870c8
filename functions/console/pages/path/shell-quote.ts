/** Words that a POSIX shell takes as they stand, but for the first of a command; so is a `!` that stands alone. */
const PLAIN = /^(?:[\w@%+=:,./-]+|!)$/;

/** One word for a POSIX shell (IEEE Std 1003.1, 2.2.2): in single quotes where it must be, else as it is. */
export function shellQuote(word: string): string {
	return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command in several lines of words, each but the first indented by two spaces. */
export function shellCommand(...lines: readonly (readonly string[])[]): string {
	return lines.map((words) => words.map(shellQuote).join(" ")).join(" \\\n  ");
}
