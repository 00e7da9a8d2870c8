import { expect, it } from "vitest";
import { isLeaving } from "./leaving.ts";

const HERE = "https://sluice.example/console/paths/site/cam?tab=configuration";

it.each([
	["https://sluice.example/console/paths/site/cam?tab=configuration#setting-hls", false],
	["https://sluice.example/console/paths/site/cam?tab=configuration&q=hls", false],
	["https://sluice.example/console/paths/site/cam?tab=history", true],
	["https://sluice.example/console/paths/site/cam", true],
	["https://sluice.example/console/nodes?tab=configuration", true],
	["https://elsewhere.example/console/paths/site/cam?tab=configuration", true],
])("leaves the form or not: %s: %s", (to, leaves) => {
	expect(isLeaving(HERE, to)).toBe(leaves);
});
