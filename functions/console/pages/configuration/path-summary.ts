/** A configured path in few words. */

import type { PathDocument } from "../../../routes/paths.ts";
import { maskedText } from "./secret.ts";

export type PathSummary = {
	/** The first source, without its secrets. */
	readonly source: string;
	/** Sources to fall back to. */
	readonly others: number;
	/** What is out of the ordinary. */
	readonly marks: readonly string[];
	/** How many settings the path says of its own. */
	readonly settings: number;
};

export function summaryOf({ config, effective }: PathDocument): PathSummary {
	const sources = typeof effective.source === "string" ? [effective.source] : effective.source;
	const [first = "publisher", ...others] = sources;
	const marks = [
		effective.sourceOnDemand || effective.runOnDemand !== "" ? "on demand" : null,
		effective.record ? "recorded" : null,
		effective.alwaysAvailable ? "always available" : null,
		effective.hls ? null : "no HLS",
		effective.forward.length === 0 ? null : "forwarded",
	];
	return {
		source:
			SOURCES[first] ??
			(first === "redirect" ? `Redirect to ${effective.sourceRedirect}` : maskedText("source", first)),
		others: others.length,
		marks: marks.filter((mark) => mark !== null),
		settings: Object.values(config).filter((value) => value !== undefined).length,
	};
}

const SOURCES: Readonly<Record<string, string>> = {
	publisher: "A publisher",
	file: "A file",
	rpiCamera: "A Raspberry Pi camera",
};

/** Those whose name or source has all words of `query`. */
export function pathsShown(paths: readonly PathDocument[], query: string): PathDocument[] {
	const words = query.toLowerCase().split(/\s+/).filter(Boolean);
	return paths.filter((path) => {
		const { source, marks } = summaryOf(path);
		const text = `${path.name} ${source} ${marks.join(" ")}`.toLowerCase();
		return words.every((word) => text.includes(word));
	});
}
