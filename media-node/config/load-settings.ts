import { readFile, writeFile } from "node:fs/promises";
import { InputError } from "#shared/problem.ts";
import { defaultConfigFile } from "./default-file.ts";
import { readConfig } from "./read-config.ts";
import type { Settings } from "./settings-schema.ts";

export const DEFAULT_CONFIG_FILE = "sluice.yml";

export type LoadedSettings = {
	readonly settings: Settings;
	readonly file: string;
	/** There was no file, and a commented one was written. */
	readonly written: boolean;
};

/**
 * Reads the configuration file. Without a name it is `sluice.yml` in the working directory, written with the defaults
 * when it is not there.
 * @throws InputError `config.invalid`
 */
export async function loadSettings(file?: string): Promise<LoadedSettings> {
	const name = file ?? DEFAULT_CONFIG_FILE;
	try {
		return { settings: readConfig(await readFile(name, "utf8"), name), file: name, written: false };
	} catch (cause) {
		if (file !== undefined || !isMissing(cause)) throw cause instanceof InputError ? cause : unreadable(name, cause);
	}
	const text = defaultConfigFile();
	await writeFile(name, text, { flag: "wx" }).catch((cause: unknown) => {
		throw unreadable(name, cause, "write");
	});
	return { settings: readConfig(text, name), file: name, written: true };
}

function isMissing(error: unknown): boolean {
	return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function unreadable(name: string, cause: unknown, verb = "read"): InputError {
	const why = cause instanceof Error ? cause.message : String(cause);
	return new InputError("config.invalid", `Cannot ${verb} the configuration file ${name}: ${why}`, { cause });
}
