/** From the text of a configuration to settings that are checked, with all that is wrong or worth a warning. Pure. */

import * as z from "zod";
import { DEPRECATED_KEYS, modernized } from "#shared/config/deprecated.ts";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { MEDIAMTX_DEFAULTS, type Settings } from "#shared/config/settings.ts";
import { checkSettings, type SettingsFault, writtenAs } from "./check-settings.ts";
import { configError, formatFault, type Place } from "./config-error.ts";
import { withEnvironment } from "./environment.ts";
import { GLOBAL_HLS_KEYS, withHlsOfPaths } from "./global-hls.ts";
import { warningsOf } from "./warnings.ts";
import { withoutNulls } from "./without-nulls.ts";
import { readConfigText } from "./yaml-text.ts";

export type ReadOptions = {
	/** The file's name, for messages. */
	readonly file: string;
	readonly environment?: Readonly<Record<string, string | undefined>>;
	/** What is not said has the value that MediaMTX would take. */
	readonly mediamtx?: boolean;
};

export type ReadConfig = {
	readonly settings: Settings;
	/** A line each: deprecated keys, parts that are not built, weak passwords, doors that stand open. */
	readonly warnings: readonly string[];
};

type Raw = Record<string, unknown>;

/**
 * Reads a configuration.
 * @throws InputError `config.invalid` with every fault, its place and key
 */
export function readConfig(text: string, { file, environment = {}, mediamtx = false }: ReadOptions): ReadConfig {
	const read = readConfigText(text, file, environment);
	const given = withEnvironment(withoutNulls(read.value), environment, extraKeys());
	const modern = modernized(given.value);
	const moved = withHlsOfPaths(modern.value, modern.origins);

	const originOf = (path: readonly PropertyKey[]) => writtenAs(moved.origins, path);
	const placeOf = (path: readonly PropertyKey[]): Place => {
		const origin = originOf(path);
		for (let length = origin.length; length > 0; length--) {
			const variable = given.variables.get(origin.slice(0, length).join("\n"));
			if (variable !== undefined) return { variable };
		}
		return read.placeOf(origin);
	};

	const value = mediamtx ? withMediamtxDefaults(moved.value) : moved.value;
	const conflicts = modern.conflicts.map(({ path, advice }) => ({ path, message: advice }));
	const { settings, faults } = checkSettings(value, conflicts, originOf);
	if (settings === null) {
		const hasMadeUsers = modern.value["authInternalUsers"] !== given.value["authInternalUsers"];
		throw configError(
			file,
			(hasMadeUsers ? withoutMadeUsers(faults) : faults).map(({ path, key, message }) => ({
				place: placeOf(path),
				key,
				message,
			})),
		);
	}

	const warning = (path: readonly string[], message: string) =>
		formatFault(file, { place: placeOf(path), key: path.join("."), message });
	return {
		settings,
		warnings: [
			...modern.deprecations.map(({ path, advice }) => warning(path, advice)),
			...given.unknown.map((variable) => `${variable}: is not a setting that the environment can have`),
			...warningsOf(settings, moved.value, warning),
		],
	};
}

/**
 * Users that were made of old settings of paths are in no file: what is wrong with the path of one is told of the path
 * itself.
 */
function withoutMadeUsers(faults: readonly SettingsFault[]): readonly SettingsFault[] {
	const written = faults.filter(({ path }) => path[0] !== "authInternalUsers" || path[2] !== "permissions");
	return written.length === 0 ? faults : written;
}

function withMediamtxDefaults(raw: Raw): Raw {
	const { hlsSegmentCount, hlsSegmentDuration, ...global } = MEDIAMTX_DEFAULTS;
	const defaults = isMap(raw["pathDefaults"]) ? raw["pathDefaults"] : {};
	return { ...global, ...raw, pathDefaults: { hlsSegmentCount, hlsSegmentDuration, ...defaults } };
}

function isMap(value: unknown): value is Raw {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keys that the environment may set though the schema does not have them there. */
function extraKeys() {
	const like = (key: string): z.ZodType => {
		const { shape } = pathConfigSchema;
		if (key in shape) return shape[key as keyof typeof shape];
		if (/Disable$|^runOnReadyRestart$|^authJWTIn|AnyPortEnable$|^disable|^playback$/.test(key)) return z.boolean();
		if (/BufferSize$|BufferCount$/.test(key)) return z.number();
		return /^(?:protocols|authMethods|webrtcICEServers|webrtcICEHostNAT1To1IPs|publishIPs|readIPs)$/.test(key)
			? z.array(z.string())
			: z.string();
	};
	const shapeOf = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, like(key)]));
	return {
		global: shapeOf([...GLOBAL_HLS_KEYS, ...DEPRECATED_KEYS.global]),
		path: shapeOf(DEPRECATED_KEYS.path),
	};
}
