import { describe, expect, it } from "vitest";
import { functionsForTest } from "../test/support/functions.ts";
import { withEtag } from "./conditional.ts";

const asked = (header?: string, method = "GET") =>
	new Request("http://functions.test/v1/x", {
		method,
		headers: header === undefined ? {} : { "if-none-match": header },
	});
const json = (value: unknown, headers: Record<string, string> = {}, status = 200) =>
	new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } });

describe("a page of the API that is polled", () => {
	it("has a weak etag of its bytes, and is 304 to who has it", async () => {
		const first = await withEtag(asked(), json({ a: 1 }, { "access-control-allow-origin": "*" }));
		const etag = first.headers.get("etag") ?? "";
		expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
		expect(await first.json()).toEqual({ a: 1 });
		for (const header of [etag, etag.slice(2), `"other", ${etag}`, "*"]) {
			const again = await withEtag(asked(header), json({ a: 1 }, { "access-control-allow-origin": "*" }));
			expect([again.status, await again.text()]).toEqual([304, ""]);
			expect(again.headers.get("etag")).toBe(etag);
			expect(again.headers.get("access-control-allow-origin")).toBe("*");
			expect(again.headers.get("content-type")).toBeNull();
		}
		expect((await withEtag(asked(etag), json({ a: 2 }))).status).toBe(200);
	});

	it("is left alone when it has an etag of its own, is an error, no JSON, or no GET", async () => {
		const own = await withEtag(asked('"mine"'), json(1, { etag: '"mine"' }));
		expect([own.status, own.headers.get("etag")]).toEqual([200, '"mine"']);
		const responses = [
			await withEtag(asked(), json(1, {}, 404)),
			await withEtag(asked(), new Response("x", { headers: { "content-type": "text/plain" } })),
			await withEtag(asked("*", "POST"), json(1)),
		];
		for (const response of responses) expect(response.headers.get("etag")).toBeNull();
		expect(responses.map(({ status }) => status)).toEqual([404, 200, 200]);
	});

	it("is so on every route: the same list costs its bytes once", async () => {
		const { api } = await functionsForTest();
		for (const path of ["/v1/paths", "/v1/streams", "/v1/nodes", "/v1/webhooks", "/openapi.json"]) {
			const first = await api("GET", path);
			const etag = first.headers.get("etag") ?? "";
			expect(first.status, path).toBe(200);
			const again = await api("GET", path, undefined, { "if-none-match": etag });
			expect([again.status, await again.text()], path).toEqual([304, ""]);
		}
	});
});
