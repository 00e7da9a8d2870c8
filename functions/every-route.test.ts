/** Every route of the OpenAPI document, with every kind of credential that it must refuse. */

import { beforeAll, describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { WEBHOOKS_PREFIX } from "#shared/store/key.ts";
import { commitStream, functionsForTest } from "../test/support/functions.ts";

type Operation = {
	operationId: string;
	parameters: { name: string; in: string; required: boolean; schema: { pattern?: string; enum?: string[] } }[];
	requestBody?: { content: Record<string, unknown> };
	security: object[];
	"x-sluice-access": string;
	"x-sluice-scope"?: string;
};
type Found = { method: string; path: string; operation: Operation };

/** In everything that is configured, and in nothing that a request of this test says. */
const MARK = "m4rk3d";
const PATH = "seeded/cam";
const FOREIGN_KEY = `slk_${"F".repeat(43)}`;

const test = await functionsForTest();
const operations: Found[] = await (async () => {
	const document = (await (await test.get("/openapi.json")).json()) as {
		paths: Record<string, Record<string, Operation>>;
	};
	return Object.entries(document.paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
	);
})();
const inHeader = operations.filter(({ operation }) => operation.security.length > 0);
const inPath = operations.filter(({ operation }) => operation["x-sluice-access"] === "path-token");
const ids: Record<string, string> = {};
const credentials: Record<string, string> = {};

async function makeKey(body: object): Promise<{ id: string; key: string }> {
	return (await (await test.api("POST", "/v1/keys", { name: MARK, ...body })).json()) as { id: string; key: string };
}

beforeAll(async () => {
	const { api, clock, store, tokenFor } = test;
	await commitStream(store, clock, parsePathName(PATH), 3);
	await api("PUT", `/v1/paths/${PATH}`, { source: `rtsp://${MARK}.example/` });
	await api("PUT", `/v1/paths/${PATH}`, { source: `rtsp://${MARK}.example/2` });
	await api("POST", "/v1/webhooks", { url: `https://${MARK}.example/`, description: MARK });
	const { objects } = await store.list(WEBHOOKS_PREFIX);
	ids["webhooks"] = objects[0]?.key.slice(WEBHOOKS_PREFIX.length, -".json".length) ?? "";
	await api("POST", `/v1/webhooks/${ids["webhooks"]}/test`);
	const expired = await makeKey({ role: "admin", expiresIn: "1s" });
	const revoked = await makeKey({ role: "admin" });
	const deleted = await makeKey({ role: "admin" });
	ids["keys"] = revoked.id;
	credentials["a revoked token"] = await tokenFor("api");
	await api("POST", "/v1/tokens/revoke", { token: credentials["a revoked token"] });
	credentials["an expired token"] = await tokenFor("api", "", { lifeMs: 1000 });
	credentials["an expired key"] = expired.key;
	await api("PATCH", `/v1/keys/${revoked.id}`, { disabled: true });
	await api("DELETE", `/v1/keys/${deleted.id}`);
	await clock.advance(10_000);
	credentials["a revoked key"] = revoked.key;
	credentials["a deleted key"] = deleted.key;
	credentials["a foreign key"] = FOREIGN_KEY;
	credentials["a foreign token"] = await tokenFor("api", "", { foreign: true });
	const token = await tokenFor("api");
	credentials["a token that was changed"] =
		`${token.slice(0, -10)}${token.at(-10) === "A" ? "B" : "A"}${token.slice(-9)}`;
	credentials["a token without its signature"] = token.slice(0, token.lastIndexOf(".") + 1);
	credentials["a token of the algorithm none"] = [
		{ alg: "none", kid: "x" },
		{ exp: 4e9, mediamtx_permissions: [{ action: "api" }] },
	]
		.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
		.join(".")
		.concat(".");
	credentials["a word"] = "secret";
	credentials["a very long one"] = `slk_${"x".repeat(5000)}`;
});

/** A path of the document with what is there in the place of its parameters. */
function addressOf({ path, operation }: Found): string {
	return path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
		if (name === "name" || name === "path")
			return operation["x-sluice-access"] === "path-token" ? PATH : encodeURIComponent(PATH);
		if (name === "id") return ids[path.split("/")[2] ?? ""] ?? "x";
		if (name === "version") return "1";
		return operation.parameters.find((parameter) => parameter.name === name)?.schema.enum?.[0] ?? "x";
	});
}

async function ask({ method, operation }: Found, address: string, headers: Record<string, string>): Promise<Response> {
	const body = operation.requestBody === undefined ? {} : { body: JSON.stringify({ config: 1 }) };
	return test.app.request(`http://functions.test${address}`, {
		method,
		headers: { ...("body" in body ? { "content-type": "application/json" } : {}), ...headers },
		...body,
	});
}

/** Refused, as a problem document that says what is wrong and nothing of what is there. */
async function expectRefused(response: Response, statuses: readonly number[], what: string): Promise<void> {
	expect(statuses, what).toContain(response.status);
	expect(response.headers.get("content-type"), what).toBe("application/problem+json");
	expect(response.headers.get("cache-control"), what).toBe("no-store");
	expect(response.headers.has("etag"), what).toBe(false);
	expect(response.headers.has("www-authenticate"), what).toBe(response.status === 401);
	const text = await response.text();
	expect(text, what).not.toContain(MARK);
	expect(text, what).not.toContain("#EXT");
	const problem = JSON.parse(text) as Record<string, unknown>;
	for (const key of Object.keys(problem))
		expect(["type", "title", "status", "detail", "code", "instance", "revokedBy"], what).toContain(key);
}

async function bucket(): Promise<string> {
	const { objects } = await test.store.list("");
	return objects.map(({ key, etag }) => `${key} ${etag}`).join("\n");
}

describe("every route of the document", () => {
	it("is one of three kinds: open, with a credential in a header, with a token in the path", () => {
		const open = operations.filter(({ operation }) => operation["x-sluice-access"] === "public");
		expect(open.map(({ operation }) => operation.operationId).sort()).toEqual([
			"authenticateForMediaMtx",
			"getHealth",
			"getKeys",
			"getOpenApi",
		]);
		expect(open.length + inHeader.length + inPath.length).toBe(operations.length);
		expect(inHeader.length).toBeGreaterThan(30);
		expect(inPath.length).toBeGreaterThan(2);
	});

	it.each(inHeader.map((found) => [`${found.method} ${found.path}`, found] as const))(
		"%s takes no wrong credential, and changes nothing for it",
		async (_name, found) => {
			const before = await bucket();
			const address = addressOf(found);
			await expectRefused(await ask(found, address, {}), [401], "none");
			for (const [what, credential] of Object.entries(credentials)) {
				await expectRefused(await ask(found, address, { authorization: `Bearer ${credential}` }), [401], what);
				await expectRefused(await ask(found, `${address}?token=${credential}`, {}), [401], `${what}, in the query`);
				const basic = Buffer.from(`admin:${credential}`).toString("base64");
				await expectRefused(await ask(found, address, { authorization: `Basic ${basic}` }), [401], `${what}, as Basic`);
				await expectRefused(
					await ask(found, address, { cookie: `token=${credential}` }),
					[401],
					`${what}, as a cookie`,
				);
			}
			expect(await bucket()).toBe(before);
		},
	);

	it.each(inHeader.map((found) => [`${found.method} ${found.path}`, found] as const))(
		"%s takes no credential that is right for something else",
		async (_name, found) => {
			const address = addressOf(found);
			const access = found.operation["x-sluice-access"];
			const others = {
				read: await test.tokenFor("read", "other"),
				publish: await test.tokenFor("publish", "other"),
				metrics: await test.tokenFor("metrics"),
				...(access === "path-read" ? {} : { "read, everywhere": await test.tokenFor("read") }),
				...(access === "path-publish" ? {} : { "publish, everywhere": await test.tokenFor("publish") }),
				...(access === "view" ? {} : { view: await test.tokenFor("view") }),
				...(access === "view" || access === "manage" ? {} : { manage: await test.tokenFor("manage") }),
				...(access === "path-read" || access === "path-publish" ? { api: await test.tokenFor("api") } : {}),
			};
			for (const [what, token] of Object.entries(others))
				await expectRefused(await ask(found, address, { authorization: `Bearer ${token}` }), [403], what);
		},
	);

	it.each(inHeader.map((found) => [`${found.method} ${found.path}`, found] as const))(
		"%s shows who may manage another path nothing of this one",
		async (_name, found) => {
			const { key } = await makeKey({ role: "operator", paths: ["other", "~^else/"], name: "somebody" });
			const response = await ask(found, addressOf(found), { authorization: `Bearer ${key}` });
			const access = found.operation["x-sluice-access"];
			if (access.startsWith("path-")) return expectRefused(response, [401], "an API key is not for media");
			if (found.operation["x-sluice-scope"] !== "handler") return expectRefused(response, [403], "another path");
			const text = await response.text();
			expect(text).not.toContain(MARK);
			expect(text).not.toContain("seeded");
			return undefined;
		},
	);

	it.each(inPath.map((found) => [`${found.method} ${found.path}`, found] as const))(
		"%s shows no media without a token for it",
		async (_name, found) => {
			const tokens = {
				...credentials,
				"for another path": await test.tokenFor("read", "other"),
				"to publish": await test.tokenFor("publish", PATH),
				"of an administrator": await test.tokenFor("api"),
				"to view": await test.tokenFor("view"),
			};
			for (const [what, token] of Object.entries(tokens)) {
				const address = addressOf(found).replace(/^\/[^/]+/, `/${token}`);
				await expectRefused(await ask(found, address, {}), [401, 403, 404], what);
			}
		},
	);

	it.each(
		inHeader
			.filter(({ operation }) => operation.requestBody)
			.map((found) => [`${found.method} ${found.path}`, found] as const),
	)("%s takes no body beyond the limit, said or unsaid, and none that is no JSON", async (_name, found) => {
		const access = found.operation["x-sluice-access"];
		const token = await test.tokenFor(access === "path-publish" ? "publish" : access === "path-read" ? "read" : "api");
		const ofType = async (body: string | Uint8Array | ReadableStream, type: string) =>
			test.app.request(`http://functions.test${addressOf(found)}`, {
				method: found.method,
				headers: { authorization: `Bearer ${token}`, "content-type": type },
				body,
				duplex: "half",
			} as RequestInit);
		const large = new Uint8Array(256 * 1024 + 1).fill(0x20);
		expect((await ofType(large, "application/json")).status).toBe(413);
		expect((await ofType(new Blob([large]).stream(), "application/json")).status).toBe(413);
		expect((await ofType("{", "application/json")).status).toBe(400);
		expect((await ofType("{}", "text/plain")).status).toBe(415);
	});
});
