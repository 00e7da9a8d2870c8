/** Every route of the OpenAPI document, with every kind of credential that it must refuse. */

import { describe, expect, it } from "vitest";
import { edgeKeysOf, edgeProof } from "#shared/access/edge-token.ts";
import { MARK, PATH, plant } from "../test/support/planted.ts";
import { EDGE_HEADER, EDGE_SEGMENT } from "./routes/playback.ts";
import { routerPath } from "./routing.ts";

type Operation = {
	operationId: string;
	parameters: { name: string; in: string; required: boolean; schema: { pattern?: string; enum?: string[] } }[];
	requestBody?: { content: Record<string, unknown> };
	security: object[];
	"x-sluice-access": string;
	"x-sluice-scope"?: string;
};
type Found = { method: string; path: string; operation: Operation };

const { test, secrets, ids, parameters, credentials, makeKey } = await plant();
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

/** A path of the document with what is there in the place of its parameters. */
function addressOf({ path, operation }: Found): string {
	return path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
		const part = path.split("/")[2] ?? "";
		if (name === "path" || (name === "name" && part !== "deliveries"))
			return operation["x-sluice-access"] === "path-token" ? PATH : encodeURIComponent(PATH);
		if (name === "id" || name === "name") return ids[part] ?? "x";
		const given = parameters[name];
		if (given !== undefined) return given;
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
	expectNothingShown(response, text, what);
	const problem = JSON.parse(text) as Record<string, unknown>;
	for (const key of Object.keys(problem))
		expect(["type", "title", "status", "detail", "code", "instance", "revokedBy"], what).toContain(key);
}

function expectNothingShown(response: Response, text: string, what: string): void {
	const all = text + [...response.headers].join("\n");
	expect(all, what).not.toContain(MARK);
	expect(all, what).not.toContain("#EXT");
	for (const secret of secrets) expect(all.includes(secret), `${what}: a secret`).toBe(false);
}

async function bucket(): Promise<string> {
	const { objects } = await test.store.list("");
	return objects.map(({ key, etag }) => `${key} ${etag}`).join("\n");
}

/** Addresses that are not in the document: the console's files, which are the same for all, and what is tested below. */
const UNDOCUMENTED = ["/", "/*", "/console", "/console/*", "/edge/*", "/:token/*"];
/** In whose answers nothing stands that was marked: names, numbers and times. */
const UNMARKED: ReadonlySet<string> = new Set([
	"getMe",
	"listRevocations",
	"listSigningKeys",
	"listRecordings",
	"getUsage",
	"getPathUsage",
	"listPathHistory",
	"listStreams",
	"getStream",
	"listDeliveries",
]);

describe("every address of the application", () => {
	it("is in the document, or known to be open", () => {
		const documented = operations.map(({ method, path }) => `${method} ${routerPath(path)}`);
		const others = test.app.routes.filter(
			({ method, path }) => method !== "ALL" && !documented.includes(`${method} ${path}`),
		);
		expect([...new Set(others.map(({ path }) => path))].sort()).toEqual(
			UNDOCUMENTED.filter((path) => path !== "/*").sort(),
		);
		const open = new Set([...operations.map(({ path }) => routerPath(path)), ...UNDOCUMENTED]);
		for (const { path } of test.app.routes) expect(open, path).toContain(path);
	});
});

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
				...(access === "node" ? {} : { node: await test.tokenFor("node") }),
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

	it.each(inHeader.map((found) => [`${found.method} ${found.path}`, found] as const))(
		"%s is nothing to the key that machines join with, unless it is for that",
		async (_name, found) => {
			const { key } = await makeKey({ role: "node", name: "a machine" });
			const access = found.operation["x-sluice-access"];
			const response = await ask(found, addressOf(found), { authorization: `Bearer ${key}` });
			// What it may ask is refused for its body then.
			if (access === "node") expect(response.status).toBe(400);
			else await expectRefused(response, access.startsWith("path-") ? [401] : [403], "a node's key");
		},
	);

	it.each(inHeader.map((found) => [`${found.method} ${found.path}`, found] as const))(
		"%s shows nothing to other methods, nor a preflight",
		async (_name, found) => {
			const address = `http://functions.test${addressOf(found)}`;
			for (const [what, credential] of [["none", ""], ...Object.entries(credentials)] as const) {
				const headers = { authorization: `Bearer ${credential}` };
				const head = await test.app.request(address, { method: "HEAD", headers });
				expect([401, 405], what).toContain(head.status);
				expect(await head.text(), what).toBe("");
				expectNothingShown(head, "", what);
				const other = await test.app.request(address, { method: "PROPFIND", headers });
				expect(other.status, what).toBe(405);
				expectNothingShown(other, await other.text(), what);
			}
			const preflight = await test.app.request(address, {
				method: "OPTIONS",
				headers: { origin: "https://elsewhere.example", "access-control-request-method": found.method },
			});
			const nowhere = await test.app.request("http://functions.test/nothing", { method: "OPTIONS" });
			expect([preflight.status, await preflight.text()]).toEqual([204, ""]);
			// The same everywhere: it does not even tell what there is.
			expect([...preflight.headers]).toEqual([...nowhere.headers]);
			expect(preflight.headers.has("access-control-allow-credentials")).toBe(false);
		},
	);

	it.each(
		inHeader
			.filter(({ method, operation }) => method === "GET" && !operation["x-sluice-access"].startsWith("path-"))
			.map((found) => [`${found.method} ${found.path}`, found] as const),
	)("%s has something to hide, which who may see it is shown", async (_name, found) => {
		const response = await ask(found, addressOf(found), { authorization: `Bearer ${await test.tokenFor("api")}` });
		const text = await response.text();
		expect(response.status, text).toBe(200);
		if (!UNMARKED.has(found.operation.operationId)) expect(text).toContain(MARK);
		for (const secret of secrets) expect(text.includes(secret)).toBe(false);
	});

	it.each(inPath.map((found) => [`${found.method} ${found.path}`, found] as const))(
		"%s is served to a token for it, and so would be missed",
		async (_name, found) => {
			const token = await test.tokenFor("read", PATH);
			const response = await ask(found, addressOf(found).replace(/^\/[^/]+/, `/${token}`), {});
			expect(response.status).toBe(200);
			expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
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
				"that a machine joins with": await test.tokenFor("node"),
				"in the header alone": "x",
			};
			for (const [what, token] of Object.entries(tokens)) {
				const address = addressOf(found).replace(/^\/[^/]+/, `/${token}`);
				const alone = what.includes("header") ? `Bearer ${await test.tokenFor("read", PATH)}` : "";
				await expectRefused(await ask(found, address, { authorization: alone }), [401, 403, 404], what);
				const range = { range: "bytes=0-1", "if-none-match": "*" };
				await expectRefused(await ask(found, address, range), [401, 403, 404], `${what}, a range`);
				const head = await test.app.request(`http://functions.test${address}`, { method: "HEAD" });
				expect([401, 403, 404], `${what}, HEAD`).toContain(head.status);
				expect(await head.text()).toBe("");
				expectNothingShown(head, "", what);
				for (const method of ["POST", "PUT", "DELETE"]) {
					const other = await test.app.request(`http://functions.test${address}`, { method });
					expect([404, 405], `${what}, ${method}`).toContain(other.status);
					expectNothingShown(other, await other.text(), what);
				}
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

describe("what the edge asks for", () => {
	it("is not there without a proof, with a wrong one, or with one for another address", async () => {
		const { streamKeySecrets } = test.deps.settings;
		const proofOf = async (secrets: readonly string[], address: string) => {
			const [key] = await edgeKeysOf(secrets);
			return key === undefined ? "" : edgeProof(key, address);
		};
		const foreign = [Buffer.alloc(32, 9).toString("base64url")];
		for (const { path } of inPath) {
			const address = path
				.replace("{token}", EDGE_SEGMENT)
				.replace("{path}", PATH)
				.replace(/\{(\w+)\}/, (_whole, name: string) => parameters[name] ?? "x");
			const right = await proofOf(streamKeySecrets, address);
			const served = await test.get(address, { [EDGE_HEADER]: right });
			expect(served.status, address).toBe(200);
			const wrong: Record<string, string> = {
				none: "",
				"of another key": await proofOf(foreign, address),
				"of another address": await proofOf(streamKeySecrets, `${address}x`),
				"that was changed": `${right.startsWith("A") ? "B" : "A"}${right.slice(1)}`,
				"that was cut off": right.slice(0, -1),
				"that is longer": `${right}A`,
				...credentials,
				"a token": await test.tokenFor("read", PATH),
			};
			for (const [what, proof] of Object.entries(wrong)) {
				await expectRefused(await test.get(address, { [EDGE_HEADER]: proof }), [404], what);
				const head = await test.get(address, { [EDGE_HEADER]: proof }, "HEAD");
				expect([head.status, await head.text()], what).toEqual([404, ""]);
			}
			const inQuery = await test.get(`${address}?token=${await test.tokenFor("read", PATH)}`);
			await expectRefused(inQuery, [404], "a token in the query");
		}
	});
});

describe("POST /auth", () => {
	it("says no to every wrong credential, wherever it stands, and nothing else", async () => {
		const others = {
			...credentials,
			"for another path": await test.tokenFor("publish", "other"),
			"of another action": await test.tokenFor("read", PATH),
			"of an administrator": await test.tokenFor("api"),
			"an API key": (await makeKey({ role: "admin" })).key,
		};
		for (const [what, credential] of Object.entries(others)) {
			for (const place of [{ token: credential }, { password: credential }, { query: `token=${credential}` }]) {
				const response = await test.app.request("http://functions.test/auth", {
					method: "POST",
					headers: { "content-type": "application/json" },
					body: JSON.stringify({ action: "publish", path: PATH, ...place }),
				});
				// A longer text than a field has is a fault of the request.
				await expectRefused(response, [401, 400], what);
			}
		}
	});
});
