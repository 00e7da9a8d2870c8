/** What somebody wrote in a field for several: separated by line breaks, commas or spaces. */
export function entriesOf(text: string): string[] {
	return [...new Set(text.split(/[\s,]+/).filter((entry) => entry !== ""))];
}

/** The lines of a field, without those that are empty. A regular expression may have commas and spaces. */
export function linesOf(text: string): string[] {
	return [...new Set(text.split("\n").map((line) => line.trim()))].filter((line) => line !== "");
}
