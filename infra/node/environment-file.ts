const NAME = /^[A-Z_][A-Z0-9_]*$/;

/**
 * Variables in a form that both systemd (systemd.exec(5), EnvironmentFile=) and a POSIX shell read as the same text.
 * @throws RangeError for a name that is not in capitals, and for control characters in a value
 */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
	return Object.entries(variables)
		.map(([name, value]) => {
			if (!NAME.test(name)) throw new RangeError(`${name} is not the name of a variable: use A to Z, 0 to 9 and _`);
			// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
			if (/[\u0000-\u001f\u007f]/.test(value)) throw new RangeError(`The value of ${name} must be one line of text`);
			return `${name}="${value.replace(/[\\"`$]/g, "\\$&")}"\n`;
		})
		.join("");
}
