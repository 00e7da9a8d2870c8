import { describe, expect, it } from "vitest";
import { generateApiKey } from "#shared/access/api-key.ts";
import { keyFault } from "./key-fault.ts";

describe("keyFault", () => {
	it("has nothing against a key that the functions make, nor against a token", () => {
		expect(keyFault(generateApiKey())).toBeNull();
		expect(keyFault("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln")).toBeNull();
	});

	it.each([
		["", /Paste/],
		["slk_short", /not complete/],
		[`${generateApiKey()} ${generateApiKey()}`, /no spaces/],
		["hunter2", /neither an API key nor a token/],
	])("says what is wrong with %j", (text, words) => {
		expect(keyFault(text)).toMatch(words);
	});
});
