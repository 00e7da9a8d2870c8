import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { pathConfigSchema } from "#shared/config/path-config.ts";
import { settingsSchema } from "#shared/config/settings.ts";
import { configReference } from "./reference.ts";

const FILE = path.resolve(import.meta.dirname, "../../docs/config.md");

describe("the reference of all settings", () => {
	it("is docs/config.md; `npm run docs` writes it anew", () => {
		expect(readFileSync(FILE, "utf8")).toBe(configReference());
	});

	it("has every setting that there is", () => {
		const text = configReference();
		const keys = [...Object.keys(settingsSchema.shape), ...Object.keys(pathConfigSchema.shape)];
		expect(keys.filter((key) => !text.includes(`\`${key}\``))).toEqual([]);
	});
});
