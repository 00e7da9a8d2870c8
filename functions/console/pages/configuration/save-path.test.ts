import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathOverrides } from "#shared/config/path-config.ts";
import { functionsForTest } from "../../../../test/support/functions.ts";
import type { Api } from "../../api/client.ts";
import { ApiProblem, problemFrom } from "../../api/problem.ts";
import { effectiveOf, inheritedValue, loadPath } from "./loaded-path.ts";
import { savePath } from "./save-path.ts";

/** The console's client, with the functions behind it instead of a network. */
async function client(pathDefaults: PathOverrides = {}, paths: Record<string, PathOverrides> = {}): Promise<Api> {
	const { api, deps } = await functionsForTest();
	Object.assign(deps.settings, { pathDefaults: { ...DEFAULT_PATH_CONFIG, ...pathDefaults }, paths });
	async function send<T>(method: string, address: string, body?: unknown, headers?: Record<string, string>) {
		const response = await api(method, address, body, headers);
		if (!response.ok) throw await problemFrom(response);
		const text = await response.text();
		return { body: (text === "" ? undefined : JSON.parse(text)) as T, etag: response.headers.get("etag") };
	}
	return {
		send,
		read: (address) => send("GET", address),
		get: async <T>(address: string) => (await send<T>("GET", address)).body,
	};
}

describe("the configuration of a path", () => {
	it("is the defaults alone before somebody writes it", async () => {
		const api = await client();
		const loaded = await loadPath(api, "site/cam");
		expect(loaded).toEqual({ overrides: {}, inherited: DEFAULT_PATH_CONFIG, etag: null, isConfigured: false });
		expect(inheritedValue(loaded, "hlsSegmentDuration")).toBe("2s");
	});

	it("inherits what the server says of it, whether it sets that itself or not, and has a document or not", async () => {
		const api = await client(
			{ maxReaders: 9, hlsSegmentDuration: "4s", hlsRetention: "1h" },
			{ "site/cam": { hlsRetention: "2d" } },
		);
		const none = await loadPath(api, "site/cam");
		const inherited = { maxReaders: 9, hlsSegmentDuration: "4s", hlsRetention: "2d", hls: true };
		expect(none.inherited).toMatchObject(inherited);
		const draft = { maxReaders: 3, hlsRetention: "5m" };
		const result = await savePath(api, "site/cam", none, draft);
		if (!("saved" in result)) throw new TypeError("Nobody else has written");
		expect(result.saved.overrides).toEqual(draft);
		expect(result.saved.inherited).toMatchObject(inherited);
		expect((await loadPath(api, "site/cam")).inherited).toEqual(none.inherited);
		// What it is once its own settings are taken out of the draft, and before that is saved.
		expect(effectiveOf(result.saved, { hls: false })).toMatchObject({ ...inherited, hls: false });
	});

	it("is saved, and loaded with its etag", async () => {
		const api = await client();
		const result = await savePath(api, "site/cam", await loadPath(api, "site/cam"), { maxReaders: 3 });
		if (!("saved" in result)) throw new TypeError("Nobody else has written");
		expect(result.saved).toEqual(await loadPath(api, "site/cam"));
		expect(result.saved.overrides).toEqual({ maxReaders: 3 });
		expect(inheritedValue(result.saved, "maxReaders")).toBe(0);
		expect(effectiveOf(result.saved, { hls: false })).toMatchObject({ maxReaders: 0, hls: false });
		expect(await savePath(api, "site/cam", result.saved, { maxReaders: 4 })).toHaveProperty("saved");
	});

	it("that somebody else has made or changed in the meantime is a conflict, with who it was", async () => {
		const api = await client();
		const none = await loadPath(api, "cam");
		await savePath(api, "cam", none, { maxReaders: 1 });
		const late = await savePath(api, "cam", none, { maxReaders: 2 });
		expect(late).toMatchObject({ conflict: { theirs: { overrides: { maxReaders: 1 } }, version: { version: 1 } } });
		const read = await loadPath(api, "cam");
		await api.send("DELETE", "/v1/paths/cam");
		const gone = await savePath(api, "cam", read, { maxReaders: 3 });
		expect(gone).toMatchObject({ conflict: { theirs: none, version: { isDeleted: true } } });
	});

	it("that the server refuses is a problem with its faults", async () => {
		const api = await client();
		const none = await loadPath(api, "cam");
		const refused = await savePath(api, "cam", none, { maxReaders: -1 }).catch((error: unknown) => error);
		expect(refused).toBeInstanceOf(ApiProblem);
		expect((refused as ApiProblem).errors.map(({ path }) => path)).toEqual(["body.maxReaders"]);
	});
});
