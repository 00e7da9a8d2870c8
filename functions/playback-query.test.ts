import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PLAYBACK_PARAMETERS, playbackQuery } from "./playback-query.ts";

const root = new URL("..", import.meta.url);
const { queries } = JSON.parse(readFileSync(new URL("test/vectors/edge-token.json", root), "utf8")) as {
	queries: { query: string; normal: Record<string, string> | null }[];
};

describe("the query of a playlist", () => {
	it.each(queries)("has a normal form, as the CloudFront Function makes it: $query", ({ query, normal }) => {
		const parameters = new URLSearchParams(query);
		if (normal === null) {
			expect(() => playbackQuery(parameters)).toThrow(expect.objectContaining({ code: "input.invalid" }));
			return;
		}
		const pairs = Object.entries(normal).map(([name, value]) => `${name}=${value}`);
		expect(playbackQuery(parameters)).toBe(pairs.length === 0 ? "" : `?${pairs.join("&")}`);
	});

	it("says the same again of what it made", () => {
		for (const { query, normal } of queries) {
			if (normal === null) continue;
			const once = playbackQuery(new URLSearchParams(query));
			expect(playbackQuery(new URLSearchParams(once))).toBe(once);
		}
	});

	it("is of what CloudFront has in its cache key", () => {
		const source = readFileSync(new URL("infra/cdn-paths.ts", root), "utf8");
		const list = /PLAYBACK_QUERY = (\[.*?\])/.exec(source)?.[1] ?? "";
		expect(JSON.parse(list)).toEqual(PLAYBACK_PARAMETERS);
	});
});
