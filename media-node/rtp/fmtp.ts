/**
 * The parameters of an `a=fmtp` line, after its payload type: `a=1; b=2`. Names are in lower case. Of two of a name the
 * first counts.
 */
export function parseFmtp(fmtp: string): ReadonlyMap<string, string> {
	const parameters = new Map<string, string>();
	for (const part of fmtp.split(";", MAX_PARAMETERS)) {
		const equals = part.indexOf("=");
		const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
		if (name !== "" && !parameters.has(name)) parameters.set(name, equals === -1 ? "" : part.slice(equals + 1).trim());
	}
	return parameters;
}

const MAX_PARAMETERS = 64;

/** A parameter that is a whole number of at most nine digits; `otherwise` when it is not there or not one. */
export function numberOf(parameters: ReadonlyMap<string, string>, name: string, otherwise: number): number {
	const text = parameters.get(name);
	return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}

/** Longer than any parameter set or configuration in use. */
export const MAX_PARAMETER_TEXT = 8_192;

/** The bytes of a parameter in hexadecimal; `null` when it is empty, too long or something else. */
export function bytesOfHex(text: string): Uint8Array | null {
	const isHex = text.length <= MAX_PARAMETER_TEXT && text.length % 2 === 0 && /^[0-9a-f]+$/i.test(text);
	return isHex ? new Uint8Array(Buffer.from(text, "hex")) : null;
}
