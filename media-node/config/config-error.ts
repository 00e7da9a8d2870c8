import { InputError } from "#shared/problem.ts";

/** Where in a file a fault is, lines and columns from 1, or which environment variable it came from. */
export type Place = { readonly line: number; readonly column: number } | { readonly variable: string };

/** One fault of a configuration. */
export type ConfigFault = {
	readonly place: Place;
	/** Such as `paths.cam01.maxReaders`; empty for the file as a whole. */
	readonly key: string;
	/** A sentence without its subject, which is the key. */
	readonly message: string;
};

/** Nobody reads more at once, and a file may be wrong from its first line to its last. */
export const MAX_FAULTS = 100;

/** A configuration with faults, all of them at once, up to {@link MAX_FAULTS}. */
export function configError(file: string, faults: readonly ConfigFault[]): InputError {
	const told = faults.slice(0, MAX_FAULTS);
	const lines = told.map((fault) => formatFault(file, fault));
	if (faults.length > told.length) lines.push(`${file}: there are more; these are the first ${MAX_FAULTS}`);
	return new InputError("config.invalid", lines.join("\n"), { data: { file, faults: told } });
}

/** `file:line:column: key message`, which editors and terminals can jump to. */
export function formatFault(file: string, { place, key, message }: ConfigFault): string {
	const where = "variable" in place ? place.variable : `${file}:${place.line}:${place.column}`;
	return `${where}: ${key === "" ? "" : `${key}: `}${message}`;
}
