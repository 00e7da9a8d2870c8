import { loadSettings } from "../config/load-settings.ts";

/**
 * Reads a configuration file and says that it is right.
 * @throws InputError `config.invalid` with every fault, one a line
 */
export async function check(file: string): Promise<void> {
	const { settings, warnings } = await loadSettings(file);
	for (const warning of warnings) console.error(`warning: ${warning}`);
	const paths = Object.keys(settings.paths).length;
	console.log(`${file} is right: ${paths} path ${paths === 1 ? "entry" : "entries"}, bucket ${settings.bucket}`);
}
