import { Document, isScalar, type Pair, type Scalar, type YAMLMap } from "yaml";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { ALL_OTHERS, NOT_BUILT, settingsSchema } from "#shared/config/settings.ts";

const WIDTH = 110;

/** The text of a configuration file that says every setting that has an effect, its default and what it is for. */
export function defaultConfigFile(): string {
	const { pathDefaults, ...global } = settingsSchema.parse({});
	const document = new Document({
		...without(global, NOT_BUILT.global),
		pathDefaults: without(pathDefaults, NOT_BUILT.path),
		paths: { [ALL_OTHERS]: null },
	});
	document.commentBefore = wrap(
		"The configuration of this Sluice node. Every line shows its default: change what you need, delete what you do not. " +
			"`npx sluice check` says whether the file is right. Settings of MediaMTX that have no effect yet are left out here.",
	);
	describe(document.contents as unknown as YAMLMap, settingsSchema.shape);
	describe(document.get("pathDefaults") as YAMLMap, pathConfigSchema.shape);
	return document.toString({ lineWidth: 0 });
}

function without(settings: object, parts: Readonly<Record<string, readonly string[]>>): object {
	const keys = new Set(Object.values(parts).flat());
	return Object.fromEntries(Object.entries(settings).filter(([key]) => !keys.has(key)));
}

function describe(map: YAMLMap, shape: Readonly<Record<string, { readonly description?: string | undefined }>>): void {
	for (const pair of map.items as Pair<Scalar<string>>[]) {
		const description = isScalar(pair.key) ? shape[pair.key.value]?.description : undefined;
		if (description === undefined) continue;
		pair.key.commentBefore = wrap(`${description}.`);
		pair.key.spaceBefore = true;
	}
}

/** Breaks a comment at words; the leading space stands between `#` and the text. */
function wrap(text: string): string {
	const lines: string[] = [];
	let line = "";
	for (const word of text.split(" ")) {
		if (line.length + word.length + 1 > WIDTH) {
			lines.push(line);
			line = "";
		}
		line += ` ${word}`;
	}
	return [...lines, line].join("\n");
}
