import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { S3Store } from "./s3-store.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers as each test says, and remembers what it was asked. */
let answer: Answer;
let requests: { method: string; url: string; headers: IncomingMessage["headers"]; body: Buffer }[];
let server: Server;
let sockets: number;
let store: S3Store;

beforeEach(async () => {
	requests = [];
	sockets = 0;
	server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk) => chunks.push(chunk));
		request.on("end", () => {
			const { method = "", url = "", headers } = request;
			requests.push({ method, url, headers, body: Buffer.concat(chunks) });
			answer(request, response);
		});
	});
	server.on("connection", () => sockets++);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	store = await open();
});
afterEach(async () => {
	await store[Symbol.asyncDispose]();
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
});

function open(options: Partial<Parameters<typeof S3Store.open>[0]> = {}): Promise<S3Store> {
	return S3Store.open({
		bucket: "bucket",
		endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		forcePathStyle: true,
		accessKeyId: "id",
		secretAccessKey: "the-secret",
		requestTimeoutMs: 400,
		connectTimeoutMs: 400,
		...options,
	});
}

const document = (status: number, code: string): Answer => {
	return (_, response) => {
		response.writeHead(status, { "content-type": "application/xml" });
		response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>Said ${code}</Message></Error>`);
	};
};

describe("S3Store translates what the bucket answers", () => {
	it.each([
		[409, "ConditionalRequestConflict", "store.conflict"],
		[409, "OperationAborted", "store.conflict"],
		[412, "PreconditionFailed", "store.precondition"],
		[429, "TooManyRequests", "store.throttled"],
		[503, "SlowDown", "store.throttled"],
		[503, "ServiceUnavailable", "store.unavailable"],
		[500, "InternalError", "store.unavailable"],
		[502, "BadGateway", "store.unavailable"],
		[504, "GatewayTimeout", "store.unavailable"],
		[400, "RequestTimeout", "store.unavailable"],
		[403, "RequestTimeTooSkewed", "store.unavailable"],
		[400, "InvalidRequest", "store.refused"],
		[401, "Unauthorized", "store.refused"],
		[403, "AccessDenied", "store.refused"],
		[403, "SignatureDoesNotMatch", "store.refused"],
		[404, "NoSuchBucket", "store.refused"],
		[301, "PermanentRedirect", "store.refused"],
		[501, "NotImplemented", "store.refused"],
	])("%d %s of a write is %s, and is not tried again", async (status, code, expected) => {
		answer = document(status, code);
		const error = await store.putIfAbsent("a", "x").catch((error: unknown) => error);
		expect(error).toMatchObject({ code: expected, message: expect.stringContaining(`${code}, ${status}`) });
		expect(error).toMatchObject({ message: expect.stringContaining("Cannot write a to the bucket") });
		expect(JSON.stringify(error) + String(error)).not.toContain("the-secret");
		expect(requests).toHaveLength(1);
	});

	it.each([
		["a page of a proxy", 503, "<html><body>Service Unavailable</body></html>", "store.unavailable"],
		["a page of a proxy", 429, "<html>", "store.throttled"],
		["a page of a proxy", 403, "no", "store.refused"],
		["nothing", 503, "", "store.unavailable"],
		["nothing", 429, "", "store.throttled"],
		["nothing", 412, "", "store.precondition"],
		["nothing", 409, "", "store.conflict"],
		["nothing", 403, "", "store.refused"],
	])("%s with status %d is understood by its status", async (_, status, body, expected) => {
		answer = (_, response) => response.writeHead(status).end(body);
		await expect(store.putIfAbsent("a", "x")).rejects.toMatchObject({ code: expected });
		await expect(store.get("a")).rejects.toMatchObject({ code: expected });
		await expect(store.list("a")).rejects.toMatchObject({ code: expected });
	});

	it("a missing object is null, and not so a missing bucket", async () => {
		answer = document(404, "NoSuchKey");
		expect(await store.get("a")).toBeNull();
		expect(await store.getIfChanged("a", "x")).toBeNull();
		await expect(store.putIfMatch("a", "x", "etag")).rejects.toMatchObject({ code: "store.precondition" });
		answer = document(404, "NoSuchBucket");
		await expect(store.get("a")).rejects.toMatchObject({ code: "store.refused" });
		await expect(store.putIfMatch("a", "x", "etag")).rejects.toMatchObject({ code: "store.refused" });
	});

	it.each(["<html><p>Log in</html>", "<html><p>Log in</p></html>", ""])(
		"a page %j that does not come from a bucket is neither an empty one nor a success",
		async (page) => {
			answer = (_, response) => response.writeHead(200, { "content-type": "text/html" }).end(page);
			const unavailable = { code: "store.unavailable" };
			await expect(store.list("")).rejects.toMatchObject(unavailable);
			await expect(store.put("a", "x")).rejects.toMatchObject(unavailable);
			await expect(store.get("a")).rejects.toMatchObject(unavailable);
			await expect(store.head("a")).rejects.toMatchObject(unavailable);
		},
	);

	it("a deletion that failed for one of its keys failed", async () => {
		const deleted = (code: string): Answer => {
			const failure = `<Error><Key>b</Key><Code>${code}</Code><Message>Said ${code}</Message></Error>`;
			return (_, response) => response.end(`<?xml version="1.0"?><DeleteResult>${failure}</DeleteResult>`);
		};
		answer = deleted("InternalError");
		await expect(store.delete(["a", "b"])).rejects.toMatchObject({ code: "store.unavailable" });
		answer = deleted("SlowDown");
		await expect(store.delete(["a", "b"])).rejects.toMatchObject({ code: "store.throttled" });
		answer = deleted("AccessDenied");
		await expect(store.delete(["a", "b"])).rejects.toMatchObject({ code: "store.refused" });
		answer = deleted("NoSuchKey");
		await store.delete(["a", "b"]);
	});
});

describe("S3Store does not wait for ever", () => {
	const unavailable = { code: "store.unavailable" };

	it("for an answer", async () => {
		answer = () => {};
		await expect(store.put("a", "x")).rejects.toMatchObject(unavailable);
		await expect(store.get("a")).rejects.toMatchObject(unavailable);
	});

	it("for the rest of a body", async () => {
		answer = (_, response) => response.writeHead(200, { etag: "e", "content-length": "100" }).write("begin");
		const first = await store.get("a");
		await expect(first?.bytes()).rejects.toMatchObject(unavailable);
		const second = await store.get("a");
		const reader = second?.stream().getReader();
		expect((await reader?.read())?.value).toHaveLength(5);
		await expect(reader?.read()).rejects.toMatchObject(unavailable);
	});

	it("for a connection", async () => {
		// RFC 5737: an address that nobody has.
		const away = await open({ endpoint: "http://192.0.2.1:9" });
		await expect(away.get("a")).rejects.toMatchObject(unavailable);
		await away[Symbol.asyncDispose]();
	});

	it("when the connection is refused, or breaks before or in the answer", async () => {
		answer = (request) => request.socket.resetAndDestroy();
		await expect(store.put("a", "x")).rejects.toMatchObject(unavailable);
		answer = (request, response) => {
			response.writeHead(200, { etag: "e", "content-length": "100" }).write("begin", () => request.socket.destroy());
		};
		const object = await store.get("a");
		await expect(object?.text()).rejects.toMatchObject(unavailable);
		const refused = await open({ endpoint: "http://127.0.0.1:1" });
		await expect(refused.put("a", "x")).rejects.toMatchObject(unavailable);
		await refused[Symbol.asyncDispose]();
	});

	it("when it is aborted: before the answer, and in the body", async () => {
		const aborted = { code: "aborted" };
		answer = () => {};
		const before = new AbortController();
		const writing = expect(store.put("a", "x", { signal: before.signal })).rejects.toMatchObject(aborted);
		await eventually("the request has come", () => requests.length === 1);
		before.abort();
		await writing;
		answer = (_, response) => response.writeHead(200, { etag: "e", "content-length": "100" }).write("begin");
		const within = new AbortController();
		const object = await store.get("a", { signal: within.signal });
		const reading = expect(object?.bytes()).rejects.toMatchObject(aborted);
		within.abort();
		await reading;
	});
});

describe("S3Store asks", () => {
	beforeEach(() => {
		answer = (_, response) => response.writeHead(200, { etag: '"new"' }).end();
	});

	it("with conditions, quoted etags and metadata, and strips the quotes of the answer", async () => {
		expect(await store.put("a", "x", { contentType: "video/mp4", cacheControl: "immutable" })).toEqual({ etag: "new" });
		await store.putIfAbsent("a", "x");
		await store.putIfMatch("a", "x", "old");
		await store.getIfChanged("a", "old");
		const [put, absent, match, get] = requests.map(({ headers }) => headers);
		expect(put).toMatchObject({ "content-type": "video/mp4", "cache-control": "immutable", "content-length": "1" });
		expect([put?.["if-none-match"], put?.["if-match"]]).toEqual([undefined, undefined]);
		expect(absent?.["if-none-match"]).toBe("*");
		expect(match?.["if-match"]).toBe('"old"');
		expect(get?.["if-none-match"]).toBe('"old"');
	});

	it("without a checksum, a trailer, or leave to send a large body, over one connection", async () => {
		for (let i = 0; i < 3; i++) await store.put("a", new Uint8Array(3_000_000));
		expect(sockets).toBe(1);
		for (const { headers, body } of requests) {
			expect(body.length).toBe(3_000_000);
			expect(headers["content-length"]).toBe("3000000");
			expect(headers["expect"]).toBeUndefined();
			expect(headers["x-amz-trailer"]).toBeUndefined();
			expect(Object.keys(headers).filter((name) => name.startsWith("x-amz-checksum"))).toEqual([]);
		}
	});

	it("over TLS without a hash of the body, and in the clear with one", async () => {
		const file = (name: string) => readFile(new URL(`../../test/fixtures/tls/${name}`, import.meta.url), "utf8");
		const [key, cert] = await Promise.all([file("localhost.key"), file("localhost.crt")]);
		const hashes: unknown[] = [];
		const listener = (request: IncomingMessage, response: ServerResponse) => {
			hashes.push(request.headers["x-amz-content-sha256"]);
			request.resume().on("end", () => response.writeHead(200, { etag: "e" }).end());
		};
		const trusted = getCACertificates("default");
		setDefaultCACertificates([...trusted, cert]);
		const secure = createSecureServer({ key, cert }, listener);
		try {
			await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
			await using s3 = await open({ endpoint: `https://127.0.0.1:${(secure.address() as AddressInfo).port}` });
			await s3.put("a", "x");
		} finally {
			setDefaultCACertificates(trusted);
			await new Promise((resolve) => secure.close(resolve));
		}
		expect(hashes).toEqual(["UNSIGNED-PAYLOAD"]);
		await store.put("a", "x");
		expect(requests[0]?.headers["x-amz-content-sha256"]).toBe(createHash("sha256").update("x").digest("hex"));
	});

	it("with keys below its prefix, and shows them without", async () => {
		await store[Symbol.asyncDispose]();
		store = await open({ prefix: "/some/prefix/" });
		await store.put("a b", "x");
		expect(requests[0]?.url).toBe("/bucket/some/prefix/a%20b?x-id=PutObject");
		answer = (_, response) => {
			response.end(
				`<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>
				<Contents><Key>some/prefix/c/1</Key><Size>5</Size><ETag>&quot;e&quot;</ETag></Contents>
				<CommonPrefixes><Prefix>some/prefix/c/2/</Prefix></CommonPrefixes></ListBucketResult>`,
			);
		};
		const page = await store.list("c/", { delimiter: "/", startAfter: "c/0" });
		expect(page.objects).toMatchObject([{ key: "c/1", size: 5, etag: "e" }]);
		expect(page.prefixes).toEqual(["c/2/"]);
		expect(page.next).toBe("c/2/\u{10ffff}");
		const query = new URL(requests[1]?.url ?? "", "http://x").searchParams;
		expect([query.get("prefix"), query.get("start-after"), query.get("delimiter")]).toEqual([
			"some/prefix/c/",
			"some/prefix/c/0",
			"/",
		]);
	});

	it("without a region only where there is an endpoint", async () => {
		const environment = { ...process.env };
		for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION"]) delete process.env[name];
		process.env["AWS_CONFIG_FILE"] = "/dev/null";
		try {
			await expect(S3Store.open({ bucket: "bucket" })).rejects.toMatchObject({
				code: "store.refused",
				message: expect.stringContaining("AWS_REGION"),
			});
		} finally {
			process.env = environment;
		}
	});
});
