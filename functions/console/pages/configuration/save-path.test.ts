import { describe, expect, it } from "vitest";
import { functionsForTest } from "../../../../test/support/functions.ts";
import type { Api } from "../../api/client.ts";
import { ApiProblem, problemFrom } from "../../api/problem.ts";
import { effectiveOf, inheritedValue, loadPath, NOT_CONFIGURED } from "./loaded-path.ts";
import { savePath } from "./save-path.ts";

/** The console's client, with the functions behind it instead of a network. */
async function client(): Promise<Api> {
	const { api } = await functionsForTest();
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
		expect(loaded).toEqual(NOT_CONFIGURED);
		expect(inheritedValue(loaded, "hlsSegmentDuration")).toBe("2s");
	});

	it("is saved, and loaded with its etag", async () => {
		const api = await client();
		const result = await savePath(api, "site/cam", NOT_CONFIGURED, { maxReaders: 3 });
		if (!("saved" in result)) throw new TypeError("Nobody else has written");
		expect(result.saved).toEqual(await loadPath(api, "site/cam"));
		expect(result.saved.overrides).toEqual({ maxReaders: 3 });
		expect(inheritedValue(result.saved, "maxReaders")).toBe(0);
		expect(effectiveOf(result.saved, { hls: false })).toMatchObject({ maxReaders: 0, hls: false });
		expect(await savePath(api, "site/cam", result.saved, { maxReaders: 4 })).toHaveProperty("saved");
	});

	it("that somebody else has made or changed in the meantime is a conflict, with who it was", async () => {
		const api = await client();
		await savePath(api, "cam", NOT_CONFIGURED, { maxReaders: 1 });
		const late = await savePath(api, "cam", NOT_CONFIGURED, { maxReaders: 2 });
		expect(late).toMatchObject({ conflict: { theirs: { overrides: { maxReaders: 1 } }, version: { version: 1 } } });
		const read = await loadPath(api, "cam");
		await api.send("DELETE", "/v1/paths/cam");
		const gone = await savePath(api, "cam", read, { maxReaders: 3 });
		expect(gone).toMatchObject({ conflict: { theirs: NOT_CONFIGURED, version: { isDeleted: true } } });
	});

	it("that the server refuses is a problem with its faults", async () => {
		const api = await client();
		const refused = await savePath(api, "cam", NOT_CONFIGURED, { maxReaders: -1 }).catch((error: unknown) => error);
		expect(refused).toBeInstanceOf(ApiProblem);
		expect((refused as ApiProblem).errors.map(({ path }) => path)).toEqual(["body.maxReaders"]);
	});
});
