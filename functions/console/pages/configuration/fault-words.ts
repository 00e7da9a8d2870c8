/** Messages of the schema as a person reads them. Those that are written for people already stay. */

const WORDS: readonly (readonly [RegExp, (...parts: string[]) => string])[] = [
	[/^Too small: expected (?:number|int) to be >=(.+)$/, (least) => `Must be ${least} or more`],
	[/^Too big: expected (?:number|int) to be <=(.+)$/, (most) => `Must be ${most} or less`],
	[
		/^Too (?:small|big): expected \w+ to have exactly (\d+) (\w+)$/,
		(count, unit) => `Must have ${counted(count, unit)}`,
	],
	[/^Too small: expected \w+ to have >=(\d+) (\w+)$/, (least, unit) => `Must have ${counted(least, unit)} or more`],
	[/^Too big: expected \w+ to have <=(\d+) (\w+)$/, (most, unit) => `Must have ${counted(most, unit)} or less`],
	[
		/^Invalid option: expected one of (.+)$/,
		(options) => `Must be one of ${options?.replaceAll('"', "").replaceAll("|", ", ")}`,
	],
	[/^Invalid input: expected int, received .+$/, () => "Must be a whole number"],
	[/^Invalid input: expected number, received .+$/, () => "Must be a number"],
	[/^Invalid input: expected boolean, received .+$/, () => "Must be true or false"],
	[/^Invalid input: expected (?:string|array|object), received undefined$/, () => "Must be set"],
	[/^Invalid input: expected string, received .+$/, () => "Must be text"],
	[/^Invalid input: expected array, received .+$/, () => "Must be a list"],
];

/** As a sentence without its subject, which is the setting. */
export function faultWords(message: string): string {
	for (const [pattern, say] of WORDS) {
		const match = pattern.exec(message);
		if (match !== null) return say(...match.slice(1));
	}
	return message.charAt(0).toUpperCase() + message.slice(1);
}

function counted(count = "", unit = ""): string {
	return `${count} ${count === "1" ? unit.replace(/s$/, "") : unit}`;
}
