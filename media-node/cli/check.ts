import { InputError } from "#shared/problem.ts";
import { CONFIG_FILES, findSettings } from "../config/load-settings.ts";

/**
 * Reads a configuration file and says that it is right. Without a name it is the one that a start would take.
 * @throws InputError `config.invalid` with every fault, one a line, or because there is no file
 */
export async function check(name?: string): Promise<void> {
	const { settings, warnings, file } = await findSettings(name);
	if (file === null) {
		const message = `There is no configuration file here: none of ${CONFIG_FILES.join(", ")}. Name one: sluice check FILE`;
		throw new InputError("config.invalid", message);
	}
	for (const warning of warnings) console.error(`warning: ${warning}`);
	const paths = Object.keys(settings.paths).length;
	console.log(`${file} is right: ${paths} path ${paths === 1 ? "entry" : "entries"}, bucket ${settings.bucket}`);
}
