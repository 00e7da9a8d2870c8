import { describe, expect, it } from "vitest";
import { STREAM_EVENT_TYPES } from "#shared/events/event-type.ts";
import type { Webhook } from "../../../routes/webhooks.ts";
import { deliveriesAddress } from "./deliveries-address.ts";
import { draftOf, patchOf, pathFault, urlFault } from "./endpoint-draft.ts";
import { EVENT_TYPES } from "./event-words.ts";
import { replayAll, replayedWords } from "./replay.ts";

const ENDPOINT: Webhook = {
	id: "wh_00000000",
	url: "https://example.com/hooks",
	description: "lights",
	events: ["stream.online"],
	paths: [],
	disabled: null,
	createdAt: "2026-01-01T00:00:00.000Z",
	secrets: 1,
	etag: "e",
};

describe("urlFault", () => {
	it.each(["https://example.com/hooks", " https://example.com ", "http://10.0.0.7:3000/"])("lets %s pass", (url) => {
		expect(urlFault(url)).toBeNull();
	});

	it.each(["", "example.com", "ftp://example.com", "https://me:secret@example.com"])(
		"says what is wrong with '%s'",
		(url) => {
			expect(urlFault(url)).toMatch(/\w/);
		},
	);
});

describe("pathFault", () => {
	it("knows names from expressions", () => {
		expect([pathFault("site/cam(01"), pathFault("~^site/"), pathFault("~(")]).toEqual([
			null,
			null,
			"~( is not a regular expression",
		]);
	});
});

describe("patchOf", () => {
	it("has only what differs", () => {
		expect(patchOf(ENDPOINT, draftOf(ENDPOINT))).toEqual({});
		expect(patchOf(ENDPOINT, { ...draftOf(ENDPOINT), description: "", events: [] })).toEqual({
			description: "",
			events: [],
		});
	});
});

describe("deliveriesAddress", () => {
	it("asks for what is chosen", () => {
		expect(deliveriesAddress({ state: "dead", endpoint: null, path: "" })).toBe("/v1/deliveries?state=dead");
		expect(deliveriesAddress({ state: "done", endpoint: "wh_1", path: "a/b c" })).toBe(
			"/v1/deliveries?state=done&endpoint=wh_1&path=a%2Fb+c",
		);
	});
});

describe("EVENT_TYPES", () => {
	it("are those that the functions know", () => {
		expect([...EVENT_TYPES].sort()).toEqual([...STREAM_EVENT_TYPES].sort());
	});
});

describe("replayedWords", () => {
	it.each([
		[0, false, "Nothing was given up in that time"],
		[1, false, "1 event is delivered once more"],
		[100, true, "100 events are delivered once more; there are more, so do it again"],
	])("says %d with more: %s", (replayed, hasMore, words) => {
		expect(replayedWords({ replayed, hasMore })).toBe(words);
	});
});

describe("replayAll", () => {
	it("asks for each by its encoded name, in order", async () => {
		const asked: string[] = [];
		const api: Parameters<typeof replayAll>[0] = {
			get: () => Promise.reject(new Error("not asked")),
			read: () => Promise.reject(new Error("not asked")),
			async send<T>(method: string, address: string) {
				asked.push(`${method} ${address}`);
				return { body: undefined as T, etag: null };
			},
		};
		const count = await replayAll(api, [
			{ state: "dead", name: "1~a/b" },
			{ state: "done", name: "2" },
		]);
		expect(count).toBe(2);
		expect(asked).toEqual(["POST /v1/deliveries/dead/1~a%2Fb/replay", "POST /v1/deliveries/done/2/replay"]);
	});
});
