import { afterEach, describe, expect, it, vi } from "vitest";
import { createApi, segment } from "./client.ts";
import { ApiProblem } from "./problem.ts";

type Answer = Response | Error;

/** The client over answers that are given one after another. */
function world(answers: readonly Answer[], key: string | null = "slk_key") {
	const asked: { method: string; url: string; headers: Headers; body: unknown }[] = [];
	const waiting = [...answers];
	vi.stubGlobal("fetch", async (url: string, { method, headers, body }: RequestInit) => {
		asked.push({ method: method ?? "", url, headers: new Headers(headers), body });
		const answer = waiting.shift() ?? new TypeError("nothing more is asked");
		if (answer instanceof Error) throw answer;
		return answer;
	});
	const onUnauthorized = vi.fn();
	return { asked, onUnauthorized, api: createApi("http://functions.test", () => key, onUnauthorized) };
}

const json = (body: unknown, init: ResponseInit = {}) => new Response(JSON.stringify(body), init);
const tagged = (body: unknown, etag: string) => json(body, { headers: { etag } });

afterEach(() => {
	vi.unstubAllGlobals();
});

describe("the client of the API", () => {
	it("sends the key, and gives the very same object again after a 304", async () => {
		const { api, asked } = world([tagged({ items: [1] }, '"1"'), new Response(null, { status: 304 })]);
		const first = await api.get("/v1/paths");
		expect(await api.get("/v1/paths")).toBe(first);
		expect(asked.map(({ url }) => url)).toEqual(Array(2).fill("http://functions.test/v1/paths"));
		expect(asked[0]!.headers.get("authorization")).toBe("Bearer slk_key");
		expect(asked.map(({ headers }) => headers.get("if-none-match"))).toEqual([null, '"1"']);
	});

	it("gives the same object again where the server has no etags but the answer is the same", async () => {
		const { api } = world([json({ a: 1 }), json({ a: 1 }), json({ a: 2 })]);
		const first = await api.get("/v1/streams");
		expect(await api.get("/v1/streams")).toBe(first);
		expect(await api.get("/v1/streams")).toEqual({ a: 2 });
	});

	it("tells the etag of what it read, and sends what is to be changed as a merge patch", async () => {
		const { api, asked } = world([tagged({ maxReaders: 1 }, '"1"'), new Response(null, { status: 204 })]);
		const { etag } = await api.read("/v1/paths/cam01");
		expect(etag).toBe('"1"');
		const changed = await api.send("PATCH", "/v1/paths/cam01", { maxReaders: 2 }, { "if-match": etag ?? "" });
		expect(changed).toEqual({ body: undefined, etag: null });
		expect(asked[1]).toMatchObject({ method: "PATCH", body: '{"maxReaders":2}' });
		expect(asked[1]!.headers.get("content-type")).toBe("application/merge-patch+json");
		expect(asked[1]!.headers.get("if-match")).toBe('"1"');
	});

	it("throws the problem of the server, with the faults of an input", async () => {
		const issues = [{ path: "body.maxReaders", message: "must be at least 0" }, "nonsense"];
		const { api, onUnauthorized } = world([
			json(
				{ status: 400, code: "input.invalid", title: "No", detail: "The request is not valid", issues },
				{ status: 400 },
			),
			new Response("<html>", { status: 502 }),
		]);
		const problem = await api.send("PUT", "/v1/paths/cam01", {}).catch((error: unknown) => error);
		expect(problem).toBeInstanceOf(ApiProblem);
		expect(problem).toMatchObject({
			status: 400,
			code: "input.invalid",
			message: "The request is not valid",
			errors: [{ path: "body.maxReaders", message: "must be at least 0" }],
		});
		await expect(api.get("/v1/paths")).rejects.toMatchObject({ status: 502, code: "http" });
		expect(onUnauthorized).not.toHaveBeenCalled();
	});

	it("says so when the key is let in no more", async () => {
		const { api, onUnauthorized } = world([json({ code: "access.token_invalid", detail: "No" }, { status: 401 })]);
		await expect(api.get("/v1/me")).rejects.toMatchObject({ status: 401 });
		expect(onUnauthorized).toHaveBeenCalledOnce();
	});

	it("has a problem of its own when nobody answers, and the reason of an abort when it was aborted", async () => {
		const { api } = world([new TypeError("fetch failed"), new DOMException("gone", "AbortError")]);
		await expect(api.get("/v1/me")).rejects.toMatchObject({ status: 0, code: "network" });
		const reason = new Error("the page was left");
		await expect(api.get("/v1/me", AbortSignal.abort(reason))).rejects.toBe(reason);
	});
});

describe("segment", () => {
	it("makes one segment of a path's name", () => {
		expect(segment("site/cam 01?")).toBe("site%2Fcam%2001%3F");
	});
});
