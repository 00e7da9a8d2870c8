import { Document, isScalar, type Pair, type Scalar, type YAMLMap } from "yaml";
import { ALL_OTHERS, settingsSchema } from "./settings-schema.ts";

const WIDTH = 110;

/** The text of a configuration file that says every setting, its default and what it is for. */
export function defaultConfigFile(): string {
	const defaults = settingsSchema.parse({});
	const document = new Document({ ...defaults, paths: { [ALL_OTHERS]: null } });
	document.commentBefore = wrap(
		"The configuration of this Sluice node. Every line shows its default: change what you need, delete what you do not. " +
			"`npx sluice check` says whether the file is right.",
	);
	describe(document.contents as unknown as YAMLMap, settingsSchema.shape);
	const pathDefaults = document.get("pathDefaults") as YAMLMap;
	describe(pathDefaults, settingsSchema.shape.pathDefaults.unwrap().out.shape);
	return document.toString({ lineWidth: 0 });
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
