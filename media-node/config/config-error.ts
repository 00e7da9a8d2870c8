import { InputError } from "#shared/problem.ts";

/** One fault of a configuration file. Lines and columns count from 1. */
export type ConfigFault = {
	readonly line: number;
	readonly column: number;
	/** Such as `paths.cam01.maxReaders`; empty for the file as a whole. */
	readonly key: string;
	readonly message: string;
};

/** A configuration with faults, all of them at once. */
export function configError(file: string, faults: readonly ConfigFault[]): InputError {
	const lines = faults.map((fault) => formatFault(file, fault));
	return new InputError("config.invalid", lines.join("\n"), { data: { file, faults } });
}

/** `file:line:column: key: message`, which editors and terminals can jump to. */
function formatFault(file: string, { line, column, key, message }: ConfigFault): string {
	return `${file}:${line}:${column}: ${key === "" ? "" : `${key}: `}${message}`;
}
