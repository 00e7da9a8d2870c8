import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import { PathConfigs } from "./path-configs.ts";

describe("the settings of every path", () => {
	const configs = new PathConfigs({
		pathDefaults: { ...DEFAULT_PATH_CONFIG, maxReaders: 1 },
		paths: { cam: { maxReaders: 2 }, "~^proxy_(.+)$": { maxReaders: 3 }, all_others: {} },
		documents: new Map([
			["cam", { hls: false }],
			["added", { maxReaders: 4 }],
		]),
	});
	const find = (name: string) => configs.find(parsePathName(name));

	it("are layered: document, entry, defaults", () => {
		expect(find("cam")?.config).toMatchObject({ maxReaders: 2, hls: false });
		expect(find("added")?.config).toMatchObject({ maxReaders: 4, hls: true });
		expect(find("other")).toMatchObject({ name: "all_others", groups: [], config: { maxReaders: 1 } });
	});

	it("tell what the groups of an expression matched", () => {
		expect(find("proxy_a/b")).toMatchObject({ name: "~^proxy_(.+)$", groups: ["a/b"], config: { maxReaders: 3 } });
	});

	it("tell which paths exist without being asked for", () => {
		expect([...configs.exact.keys()]).toEqual(["cam", "added"]);
	});
});
