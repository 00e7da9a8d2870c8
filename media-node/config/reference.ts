/** The reference of all settings, as Markdown: names, types, defaults and what they are for. Pure. */

import * as z from "zod";
import { DEPRECATED_KEYS } from "#shared/config/deprecated.ts";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { NOT_BUILT, settingsSchema } from "#shared/config/settings.ts";
import { GLOBAL_HLS_KEYS } from "./global-hls.ts";

type Shape = Readonly<Record<string, z.ZodType>>;

/** The text of `docs/config.md`. */
export function configReference(): string {
	const { pathDefaults: _defaults, paths: _paths, ...global } = settingsSchema.shape;
	const unbuilt = new Set([...Object.values(NOT_BUILT.global), ...Object.values(NOT_BUILT.path)].flat());
	const built = (shape: Shape) => Object.entries(shape).filter(([key]) => !unbuilt.has(key));
	return [
		"# Settings",
		"",
		"<!-- Written by `npm run docs` from the schema that reads the file. -->",
		"",
		"A configuration is YAML or JSON. `sluice` looks for `sluice.yml`, `rtsp-simple-server.yml` and `mediamtx.yml` in the",
		"working directory, then for `/usr/local/etc/mediamtx.yml`, `/usr/etc/mediamtx.yml` and `/etc/mediamtx/mediamtx.yml`;",
		"`sluice start FILE`, `sluice serve -c FILE` and `sluice -config=FILE` name one. Names and meanings are MediaMTX's",
		"wherever it has the setting.",
		"",
		"- **A file called `mediamtx.yml`** (or `rtsp-simple-server.yml`) has MediaMTX's defaults for what it leaves out:",
		"  anybody may publish and read, `metrics` is off, `hlsSegmentDuration` is `1s`, `hlsSegmentCount` is 7, and no path",
		"  exists that is not in the file. Any other file has the defaults below.",
		"- **Variables**: `${NAME}` and `${NAME:default}` in a value stand for the environment's. Those that hooks and sources",
		"  get when they run (`$MTX_PATH`, `$G1`, …) are left to that moment.",
		"- **Environment**: `MTX_RTSPADDRESS=:9554`, `MTX_PATHDEFAULTS_MAXREADERS=10`, `MTX_PATHS_CAM1_SOURCE=rtsp://…`,",
		"  `MTX_AUTHINTERNALUSERS_0_USER=joe` go before the file; `SLUICE_…` goes before `MTX_…`. Lists are written with commas.",
		"- **Encrypted files**: with `MTX_CONFKEY`, the file is base64 of a nonce and a NaCl secretbox.",
		"- **Changes** of the file are taken over within two seconds, or at once on SIGHUP. A file with faults is logged, and",
		"  what runs goes on. Only what a change touches is restarted.",
		`- **At the top of a file**, ${GLOBAL_HLS_KEYS.map((key) => `\`${key}\``).join(", ")} are taken as MediaMTX has them: the`,
		"  first three become defaults of all paths, the last one is `functionsAddress`.",
		"- `sluice check FILE` says whether a file is right, and warns of weak passwords and open doors.",
		"",
		"## Global settings",
		"",
		...table(built(global)),
		"",
		"## Settings of paths",
		"",
		"In `pathDefaults` for every path, or in `paths` by name. A name is exact, or `~` and a regular expression whose groups",
		"are `$G1`, `$G2`, …, or `all_others`. An exact name goes first, then expressions in alphabetical order.",
		"",
		...table(built(pathConfigSchema.shape)),
		"",
		"## Accepted, and without effect in this version",
		"",
		"These are checked, and named in one warning at the start.",
		"",
		...Object.entries(NOT_BUILT.global).map(([part, keys]) => `- ${part}: ${code(keys)}`),
		...Object.entries(NOT_BUILT.path).map(([part, keys]) => `- ${part} (of paths): ${code(keys)}`),
		"",
		"## Names of old",
		"",
		"Each becomes what stands for it today, with a warning that says what to write.",
		"",
		`- Global: ${code(DEPRECATED_KEYS.global)}`,
		`- Of paths: ${code(DEPRECATED_KEYS.path)}`,
		"",
	].join("\n");
}

function code(keys: readonly string[]): string {
	return keys.map((key) => `\`${key}\``).join(", ");
}

function table(entries: readonly (readonly [string, z.ZodType])[]): string[] {
	return [
		"| setting | type | default | what it is for |",
		"|---|---|---|---|",
		...entries.map(([key, schema]) => {
			const cells = [`\`${key}\``, typeOf(schema), defaultOf(schema), schema.description ?? ""];
			return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
		}),
	];
}

function defaultOf(schema: z.ZodType): string {
	const result = schema.safeParse(undefined);
	if (!result.success || result.data === undefined || result.data === "") return "";
	const value = result.data;
	return typeof value === "object" ? `\`${JSON.stringify(value)}\`` : `\`${String(value)}\``;
}

/** A word for what may stand there. */
function typeOf(schema: z.ZodType): string {
	if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return typeOf(schema.unwrap() as z.ZodType);
	if (schema instanceof z.ZodPipe) return typeOf(schema.out as z.ZodType);
	if (schema instanceof z.ZodBoolean) return "yes or no";
	if (schema instanceof z.ZodNumber) return "number";
	if (schema instanceof z.ZodEnum) return schema.options.map(String).filter(Boolean).join(", ");
	if (schema instanceof z.ZodArray) return `list of ${typeOf(schema.element as z.ZodType)}`;
	if (schema instanceof z.ZodUnion) return [...new Set((schema.options as z.ZodType[]).map(typeOf))].join(", or ");
	if (schema instanceof z.ZodObject) return `{${Object.keys(schema.shape).join(", ")}}`;
	return "text";
}
