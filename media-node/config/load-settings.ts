import { access, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Settings } from "#shared/config/settings.ts";
import { InputError } from "#shared/problem.ts";
import { defaultConfigFile } from "./default-file.ts";
import { decryptConfig } from "./encrypted-file.ts";
import { readConfig } from "./read-config.ts";

export const DEFAULT_CONFIG_FILE = "sluice.yml";

/** Where a configuration is looked for when none is named; the first that exists is taken. */
export const CONFIG_FILES = [
	DEFAULT_CONFIG_FILE,
	"rtsp-simple-server.yml",
	"mediamtx.yml",
	"/usr/local/etc/mediamtx.yml",
	"/usr/etc/mediamtx.yml",
	"/etc/mediamtx/mediamtx.yml",
] as const;

export type Environment = Readonly<Record<string, string | undefined>>;

export type LoadedSettings = {
	readonly settings: Settings;
	readonly warnings: readonly string[];
	readonly file: string;
	/** There was no file, and a commented one was written. */
	readonly written: boolean;
};

/**
 * Reads the configuration file. Without a name it is the first of {@link CONFIG_FILES} that exists; when there is none,
 * `sluice.yml` is written with the defaults.
 * @throws InputError `config.invalid`
 */
export async function loadSettings(file?: string, environment: Environment = process.env): Promise<LoadedSettings> {
	const found = await findSettings(file, environment);
	if (found.file !== null) return { ...found, file: found.file, written: false };
	await writeFile(DEFAULT_CONFIG_FILE, defaultConfigFile(), { flag: "wx" }).catch((cause: unknown) => {
		throw unreadable(DEFAULT_CONFIG_FILE, cause, "write");
	});
	return { ...found, file: DEFAULT_CONFIG_FILE, written: true };
}

/**
 * As {@link loadSettings}, and writes nothing: when there is no file, what would be written counts, and `file` is
 * `null`.
 * @throws InputError `config.invalid`
 */
export async function findSettings(
	file?: string,
	environment: Environment = process.env,
): Promise<Omit<LoadedSettings, "file" | "written"> & { readonly file: string | null }> {
	const name = file ?? (await firstThatExists());
	if (name !== null) return { ...(await readSettings(name, environment)), file: name };
	return { ...readConfig(defaultConfigFile(), { file: DEFAULT_CONFIG_FILE, environment }), file: null };
}

/** Reads one file, as often as it changes. @throws InputError `config.invalid` */
export async function readSettings(
	file: string,
	environment: Environment = process.env,
): Promise<{ settings: Settings; warnings: readonly string[] }> {
	const stored = await readFile(file, "utf8").catch((cause: unknown) => {
		throw unreadable(file, cause);
	});
	const key = environment["MTX_CONFKEY"] ?? environment["RTSP_CONFKEY"] ?? environment["SLUICE_CONFKEY"];
	const text = key === undefined ? stored : decryptConfig(stored, key, file);
	return readConfig(text, { file, environment, mediamtx: isMediamtxFile(file) });
}

/** A file that is called as MediaMTX calls its own gets MediaMTX's defaults for what it leaves out. */
export function isMediamtxFile(file: string): boolean {
	return /^(?:mediamtx|rtsp-simple-server)\b.*\.(?:ya?ml|json)$/i.test(path.basename(file));
}

/** The configuration file that is taken when none is named; `null`: there is none. */
export async function firstThatExists(): Promise<string | null> {
	for (const name of CONFIG_FILES) {
		const exists = await access(name).then(
			() => true,
			() => false,
		);
		if (exists) return name;
	}
	return null;
}

function unreadable(name: string, cause: unknown, verb = "read"): InputError {
	const why = cause instanceof Error ? cause.message : String(cause);
	return new InputError("config.invalid", `Cannot ${verb} the configuration file ${name}: ${why}`, { cause });
}
