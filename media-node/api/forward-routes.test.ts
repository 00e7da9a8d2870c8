import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { controlApi } from "../../test/support/control-api.ts";
import type { ForwardSnapshot } from "../paths/forward-runner.ts";

const ID = "9c1e0d4e-0000-4000-8000-000000000001";
const ONE: ForwardSnapshot = {
	id: ID,
	createdMs: Date.UTC(2026, 0, 1),
	path: parsePathName("cam/a"),
	position: 0,
	protocol: "whip",
	settings: { dest: "whip://u:pw@host/x/whip", destFingerprint: "", whipBearerToken: "t0k" },
	state: "error",
	lastError: "The server cannot be reached",
	outboundBytes: 7,
};
const SHOWN = {
	id: ID,
	created: "2026-01-01T00:00:00.000Z",
	pos: 0,
	protocol: "whip",
	conf: { dest: "whip://u:<redacted>@host/x/whip", destFingerprint: "", whipBearerToken: "<redacted>" },
	state: "error",
	lastError: "The server cannot be reached",
	outboundBytes: 7,
};

const open = () =>
	controlApi("paths: { cam/a: {}, idle: {} }", { forwards: (path) => (path === "cam/a" ? [ONE] : []) });

describe("destinations over the control API", () => {
	it("lists those of a path, without their secrets", async () => {
		await using api = await open();
		const { status, json } = await api.get("/v3/paths/forward/list?path=cam%2Fa");
		expect([status, json]).toEqual([200, { itemCount: 1, pageCount: 1, items: [SHOWN] }]);
		expect((await api.get("/v3/paths/forward/list?path=idle")).json).toMatchObject({ itemCount: 0, items: [] });
	});

	it("gives one of a path", async () => {
		await using api = await open();
		const { status, json } = await api.get(`/v3/paths/forward/get?path=cam%2Fa&id=${ID}`);
		expect([status, json]).toEqual([200, SHOWN]);
	});

	it.each([
		["list", 400, "path is required"],
		["list?path=nowhere", 404, "path not found"],
		["list?path=idle&page=x", 400, "page must be a whole number of 0 or more"],
		["get?path=cam/a", 400, "the ID is not a UUID"],
		[`get?path=nowhere&id=${ID}`, 404, "path not found"],
		[`get?path=idle&id=${ID}`, 404, "forward destination not found"],
	])("refuses %s", async (rest, status, error) => {
		await using api = await open();
		expect(await api.get(`/v3/paths/forward/${rest}`)).toMatchObject({ status, json: { error } });
	});
});
