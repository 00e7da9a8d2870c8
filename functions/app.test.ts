import { describe, expect, it } from "vitest";
import { functionsForTest } from "../test/support/functions.ts";

type Operation = {
	operationId: string;
	parameters: { name: string; in: string }[];
	responses: object;
	security: object[];
	"x-sluice-access": string;
};
type Document = { openapi: string; paths: Record<string, Record<string, Operation>>; components: { schemas: object } };

async function documentOf(get: (path: string) => Promise<Response>): Promise<Document> {
	return (await (await get("/openapi.json")).json()) as Document;
}

function operationsOf({ paths }: Document) {
	return Object.entries(paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
	);
}

describe("the OpenAPI document", () => {
	it("describes every route once, with every parameter and every schema that it refers to", async () => {
		const { get } = await functionsForTest();
		const document = await documentOf(get);
		expect(document.openapi).toBe("3.1.0");
		const operations = operationsOf(document);
		expect(operations.length).toBeGreaterThanOrEqual(25);
		expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
		for (const { path, method, operation } of operations) {
			const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
			const declared = operation.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
			expect(declared.sort(), `${method} ${path}`).toEqual(inPath.sort());
			expect(Object.keys(operation.responses)).toContain("default");
		}
		const text = JSON.stringify(document);
		for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
			expect(document.components.schemas, name).toHaveProperty(name);
		expect(text).not.toContain("$defs");
		expect(text).not.toContain('"$ref":"#/$');
	});

	it("leaves no secured route open: without a token, with an expired, a foreign one, or one for something else", async () => {
		const test = await functionsForTest();
		const expired = await test.tokenFor("api", "", { lifeMs: 1000 });
		await test.clock.advance(1000);
		const tokens: [string, string | null, number][] = [
			["none", null, 401],
			["a word", "secret", 401],
			["expired", expired, 401],
			["foreign", await test.tokenFor("api", "", { foreign: true }), 401],
			["a viewer's", await test.tokenFor("read"), 403],
			["a publisher's", await test.tokenFor("publish"), 403],
		];
		const secured = operationsOf(await documentOf(test.get)).filter(({ operation }) => operation.security.length > 0);
		expect(secured.length).toBeGreaterThan(18);
		for (const { path, method, operation } of secured) {
			for (const [what, token, status] of tokens) {
				// Theirs: a token for every path is one for the path that the test asks for.
				if (what === "a viewer's" && operation["x-sluice-access"] === "path-read") continue;
				if (what === "a publisher's" && operation["x-sluice-access"] === "path-publish") continue;
				const response = await test.app.request(`http://functions.test${path.replaceAll(/\{\w+\}/g, "x")}`, {
					method,
					...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
				});
				expect(response.status, `${method} ${path}, token: ${what}`).toBe(status);
				expect(response.headers.get("content-type")).toBe("application/problem+json");
				expect(response.headers.has("www-authenticate")).toBe(status === 401);
			}
		}
	});

	it("names as open only what anybody may see, or whose token stands in the path", async () => {
		const { get } = await functionsForTest();
		const open = operationsOf(await documentOf(get)).filter(({ operation }) => operation.security.length === 0);
		expect(open.map(({ operation }) => operation.operationId).sort()).toEqual([
			"authenticateForMediaMtx",
			"getHealth",
			"getKeys",
			"getMedia",
			"getMediaPlaylist",
			"getMultivariantPlaylist",
			"getOpenApi",
		]);
	});
});

describe("what is not there", () => {
	it.each([
		["GET", "/nothing", 404, "http.not_found"],
		["GET", "/v1", 404, "http.not_found"],
		["GET", "/v1/nothing", 404, "http.not_found"],
		["POST", "/nothing", 404, "http.not_found"],
		["DELETE", "/healthz", 405, "http.method"],
		["PUT", "/v1/tokens", 405, "http.method"],
	])("%s %s is answered as a problem document", async (method, path, status, code) => {
		const { api } = await functionsForTest();
		const response = await api(method, path);
		expect(response.status).toBe(status);
		expect(await response.json()).toMatchObject({ status, code, instance: path });
		expect(response.headers.has("allow")).toBe(status === 405);
	});

	it("answers a preflight of any origin", async () => {
		const { get } = await functionsForTest();
		const response = await get(
			"/v1/tokens",
			{ origin: "https://console.example", "access-control-request-method": "POST" },
			"OPTIONS",
		);
		expect(response.status).toBe(204);
		expect(response.headers.get("access-control-allow-headers")).toContain("authorization");
	});

	it("says nothing of a fault of ours but that there is one, and logs it", async () => {
		const { api, store, logs } = await functionsForTest();
		store.list = () => {
			throw new Error("the inside of the machine");
		};
		const response = await api("GET", "/v1/paths");
		expect(response.status).toBe(500);
		expect(await response.text()).not.toContain("machine");
		expect(logs.join()).toContain("the inside of the machine");
	});

	it("says that the bucket is away when it is", async () => {
		const { api, store } = await functionsForTest();
		store.away = true;
		const response = await api("GET", "/v1/paths/cam");
		expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
	});
});

describe("tokens", () => {
	it("are made for a path, with the address to watch it at", async () => {
		const { api, get, clock } = await functionsForTest();
		const response = await api("POST", "/v1/tokens", {
			path: "site/cam01",
			actions: ["read"],
			expiresIn: "10m",
			subject: "ana",
		});
		expect(response.status).toBe(201);
		const { token, url, expiresAt } = (await response.json()) as { token: string; url: string; expiresAt: string };
		expect(url).toBe(`http://functions.test/${token}/site/cam01/index.m3u8`);
		expect(Date.parse(expiresAt)).toBe(clock.now() + 600_000);
		expect((await get(new URL(url).pathname)).status).toBe(404);
		const inspected = await api("POST", "/v1/tokens/inspect", { token });
		expect(await inspected.json()).toMatchObject({
			subject: "ana",
			permissions: [{ action: "read", path: "site/cam01" }],
		});
		const changed = await api("POST", "/v1/tokens/inspect", { token: `${token}x` });
		expect(await changed.json()).toMatchObject({ valid: false, verified: false, subject: "ana" });
	});

	it.each([
		{},
		{ path: "a" },
		{ actions: ["read"] },
		{ path: "a", actions: [] },
		{ path: "../a", actions: ["read"] },
		{ path: "a", actions: ["api"] },
		{ path: "a", actions: ["read"], expiresIn: "0s" },
		{ path: "a", actions: ["read"], permissions: [] },
	])("are not made of %j", async (body) => {
		const { api } = await functionsForTest();
		expect((await api("POST", "/v1/tokens", body)).status).toBe(400);
	});

	it("have short sisters for encoders, and public keys for everybody", async () => {
		const { api, get } = await functionsForTest();
		const made = (await (await api("POST", "/v1/stream-keys", { path: "cam01" })).json()) as {
			streamKey: string;
			expiresAt: null;
		};
		expect(made.streamKey.length).toBeLessThanOrEqual(48);
		const { keys } = (await (await get("/.well-known/jwks.json")).json()) as { keys: Record<string, string>[] };
		expect(keys).toHaveLength(1);
		expect(keys[0]).not.toHaveProperty("d");
	});
});
