import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { edgeFunctionSource, MAX_FUNCTION_BYTES } from "#shared/access/edge-function.ts";

type Header = { value: string };
type Parameter = Header & { multiValue?: Header[] };
type EdgeRequest = {
	method: string;
	uri: string;
	querystring: Record<string, Parameter>;
	headers: Record<string, Header>;
};
type EdgeAnswer = { statusCode: number; headers: Record<string, Header>; body: { encoding: string; data: string } };
type Vector = {
	name: string;
	token: string;
	path: string;
	ip: string;
	country: string | null;
	referrer: string | null;
	expect: string;
};

const root = new URL("../..", import.meta.url);
const template = readFileSync(new URL("infra/edge/verify-token.js", root), "utf8");
const vectors = JSON.parse(readFileSync(new URL("test/vectors/edge-token.json", root), "utf8")) as {
	nowMs: number;
	keys: { kid: string; secret: string }[];
	queries: { query: string; normal: Record<string, string> | null }[];
	proofs: { pathname: string; kid: string; proof: string }[];
	cases: Vector[];
};

/**
 * The function with no more around it than its runtime has.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
 */
function handlerOf(playlists: "shared" | "origin" = "shared") {
	const modules: Record<string, unknown> = { crypto: { createHash, createHmac } };
	const require = (name: string) => {
		if (name in modules) return modules[name];
		throw new Error(`The runtime has no module ${name}`);
	};
	const context = createContext({ require, Buffer, console: { log: () => undefined }, nowMs: vectors.nowMs });
	runInContext("Date.now = () => nowMs;", context);
	runInContext(edgeFunctionSource(template, { keys: vectors.keys, playlists }), context);
	return (
		uri: string,
		more: { method?: string; ip?: string; headers?: Record<string, Header>; query?: string } = {},
	) => {
		const request: EdgeRequest = {
			method: more.method ?? "GET",
			uri,
			querystring: parametersOf(more.query ?? "x=1"),
			headers: { host: { value: "video.example" }, ...more.headers },
		};
		const event = { version: "1.0", context: {}, viewer: { ip: more.ip ?? "192.0.2.1" }, request };
		Object.assign(context, { event });
		return runInContext("handler(event)", context) as EdgeRequest | EdgeAnswer;
	};
}

/** As CloudFront gives them: not decoded, and the last value beside all of them. */
function parametersOf(query: string): Record<string, Parameter> {
	const parameters: Record<string, Parameter> = {};
	for (const pair of query === "" ? [] : query.split("&")) {
		const [name = "", value = ""] = pair.split("=");
		const before = parameters[name];
		const all = [...(before?.multiValue ?? (before === undefined ? [] : [{ value: before.value }])), { value }];
		parameters[name] = { value, ...(all.length > 1 ? { multiValue: all } : {}) };
	}
	return parameters;
}

const good = vectors.cases.find(({ expect }) => expect === "ok")!.token;

describe("the CloudFront Function", () => {
	it.each(vectors.cases)("by the vectors: $name", ({ token, path, ip, country, referrer, expect: expected }) => {
		const headers = {
			...(country === null ? {} : { "cloudfront-viewer-country": { value: country } }),
			...(referrer === null ? {} : { referer: { value: referrer } }),
		};
		const answer = handlerOf()(`/${token}/${path}/index.m3u8`, { ip, headers });
		if (expected === "ok") {
			expect(answer).toMatchObject({ uri: `/edge/${path}/index.m3u8`, querystring: {} });
			return;
		}
		expect(answer).toMatchObject({
			statusCode: expected === "access.forbidden" || expected === "access.token_limit" ? 403 : 401,
		});
		expect(JSON.parse((answer as EdgeAnswer).body.data)).toMatchObject({ code: expected });
		expect((answer as EdgeAnswer).headers["cache-control"]).toEqual({ value: "no-store" });
	});

	it.each(vectors.queries)("keeps of the query $query what a playlist may ask for", ({ query, normal }) => {
		const uri = `/${good}/site/cam01/v0.m3u8`;
		const answer = handlerOf()(uri, { query });
		if (normal === null) {
			expect(answer).toMatchObject({ statusCode: 400 });
			expect(JSON.parse((answer as EdgeAnswer).body.data)).toMatchObject({ code: "input.invalid" });
			return;
		}
		const kept = Object.entries((answer as EdgeRequest).querystring).map(([name, { value }]) => [name, value]);
		// The order counts, too.
		expect(kept).toEqual(Object.entries(normal));
		const segment = handlerOf()(uri.replace("v0.m3u8", "000000000001-000000000000-v0.m4s"), { query });
		expect(segment).toMatchObject({ querystring: {} });
	});

	it("proves to the origin which address it has verified, whatever the viewer has sent", () => {
		const { pathname, proof } = vectors.proofs[0]!;
		const headers = { "x-sluice-edge": { value: "forged" } };
		const answer = handlerOf()(`/${good}/site/cam01/index.m3u8`, { headers }) as EdgeRequest;
		expect([answer.uri, answer.headers["x-sluice-edge"]]).toEqual([pathname, { value: proof }]);
	});

	it.each([
		"/",
		"/v1/paths",
		"/edge/site/cam01/index.m3u8",
		"/%65dge/site/cam01/index.m3u8",
		"/eyJhbGciOiJFUzI1NiJ9.e30.AAAA/site/cam01/index.m3u8",
		"//edge/site/cam01/index.m3u8",
	])("lets %s through without a proof, for the origin to judge", (uri) => {
		const headers = { "x-sluice-edge": { value: vectors.proofs[0]!.proof } };
		const answer = handlerOf()(uri, { headers }) as EdgeRequest;
		expect(answer.uri).toBe(uri);
		expect(answer.headers).not.toHaveProperty("x-sluice-edge");
	});

	it.each([
		`/${good}`,
		`/${good}/index.m3u8`,
		`/${good}/site%2Fcam01/index.m3u8`,
		`/${good}/site/cam02/../cam01/index.m3u8`,
		`/${good}/site//cam01/index.m3u8`,
	])("refuses another spelling of the path: %s", (uri) => {
		expect(handlerOf()(uri)).toMatchObject({ statusCode: 403 });
	});

	it("leaves playlists to the origin if it is told so, and serves segments itself", () => {
		const handle = handlerOf("origin");
		const playlist = `/${good}/site/cam01/v0.m3u8`;
		expect(handle(playlist)).toMatchObject({ uri: playlist });
		expect(handle(`/${good}/site/cam01/000000000001-000000000000-v0.m4s`)).toMatchObject({
			uri: "/edge/site/cam01/000000000001-000000000000-v0.m4s",
		});
		expect(handle(playlist.replace("cam01", "cam02"))).toMatchObject({ statusCode: 403 });
	});

	it("keeps to the size and the words that the runtime takes", () => {
		const keys = Array.from({ length: 16 }, () => vectors.keys[0]!);
		const source = edgeFunctionSource(template, { keys, playlists: "shared" });
		expect(source.length).toBeLessThanOrEqual(MAX_FUNCTION_BYTES);
		const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/ .*$/gm, "");
		// What the documentation does not name as supported.
		for (const word of [/\bfor \(.* of /, /\.\.\./, /\?\./, /\?\?/, /\bclass\b/, /\bimport\b/, /(?:const|let) [[{]/])
			expect(code).not.toMatch(word);
		const full = Array.from({ length: 200 }, () => vectors.keys[0]!);
		expect(() => edgeFunctionSource(template, { keys: full, playlists: "shared" })).toThrow(RangeError);
	});
});
