import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { LambdaContext, LambdaEvent } from "hono/aws-lambda";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { generateSigningKey, type SigningKey } from "#shared/access/signing-key.ts";
import { issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { parsePathName } from "#shared/path-name.ts";
import { parseBucketLocation } from "#shared/store/bucket-location.ts";
import { mediaFile, mediaKey, outboxKey } from "#shared/store/key.ts";
import { openStore } from "#shared/store/open-store.ts";
import { receiver } from "../test/support/receiver.ts";
import { tempDir } from "../test/support/temp-dir.ts";
import { createHandlers } from "./lambda.ts";

/** A request as a function URL hands it over: payload format 2.0. */
function event(method: string, path: string, headers: Record<string, string> = {}, body?: string): LambdaEvent {
	return {
		version: "2.0",
		routeKey: "$default",
		rawPath: path,
		rawQueryString: "",
		headers: { host: "abc.lambda-url.eu-west-1.on.aws", ...headers },
		body: body ?? null,
		isBase64Encoded: false,
		requestContext: {
			accountId: "anonymous",
			apiId: "abc",
			domainName: "abc.lambda-url.eu-west-1.on.aws",
			domainPrefix: "abc",
			http: { method, path, protocol: "HTTP/1.1", sourceIp: "203.0.113.9", userAgent: "test" },
			requestId: "1",
			routeKey: "$default",
			stage: "$default",
			time: "21/Nov/2026:00:00:00 +0000",
			timeEpoch: 1_795_219_200_000,
		},
	} as unknown as LambdaEvent;
}

type Answer = {
	statusCode: number;
	headers: Record<string, string>;
	body: string;
	isBase64Encoded: boolean;
	cookies?: string[];
};

function environmentOf(folder: string, key: SigningKey) {
	return {
		SLUICE_BUCKET: `file:${folder}/bucket`,
		SLUICE_SIGNING_KEYS: JSON.stringify([key]),
		SLUICE_STREAM_KEY_SECRETS: JSON.stringify([Buffer.alloc(32, 1).toString("base64url")]),
	};
}

function adminToken(key: SigningKey): Promise<string> {
	const permissions = [{ action: "api" as const, path: "" }];
	return issueToken([key], { permissions, subject: "", expiresMs: systemClock.now() + 60_000 }, systemClock);
}

describe("the Lambda entry", () => {
	it("serves the console out of the package, compressed, since nothing before it does that", async () => {
		await using folder = await tempDir();
		const built = path.join(folder.path, "functions/console/dist");
		await mkdir(built, { recursive: true });
		await writeFile(path.join(built, "index.html"), "<title>Sluice</title>");
		const { handler } = createHandlers({
			LAMBDA_TASK_ROOT: folder.path,
			SLUICE_BUCKET: `file:${folder.path}/bucket`,
			SLUICE_SIGNING_KEYS: JSON.stringify([await generateSigningKey()]),
			SLUICE_STREAM_KEY_SECRETS: JSON.stringify([Buffer.alloc(32, 1).toString("base64url")]),
		});
		const ask = async (name: string) =>
			(await handler(event("GET", name, { "accept-encoding": "gzip" }), {} as LambdaContext)) as Record<
				string,
				unknown
			>;
		const index = await ask("/console/");
		expect(index).toMatchObject({ statusCode: 200, isBase64Encoded: true, headers: { "content-encoding": "gzip" } });
		expect(gunzipSync(Buffer.from(String(index["body"]), "base64")).toString()).toBe("<title>Sluice</title>");
	});

	it("answers function URL events over the bucket of its environment, and drains on its schedule", async () => {
		await using folder = await tempDir();
		const key = await generateSigningKey();
		const { handler, scheduled } = createHandlers({
			SLUICE_BUCKET: `file:${folder.path}/bucket`,
			SLUICE_SIGNING_KEYS: JSON.stringify([key]),
			SLUICE_STREAM_KEY_SECRETS: JSON.stringify([Buffer.alloc(32, 1).toString("base64url")]),
		});
		const ask = async (...args: Parameters<typeof event>) => {
			const answer = (await handler(event(...args), {} as LambdaContext)) as {
				statusCode: number;
				headers: Record<string, string>;
				body: string;
			};
			return {
				status: answer.statusCode,
				headers: answer.headers,
				body: JSON.parse(answer.body) as Record<string, unknown>,
			};
		};
		expect(await ask("GET", "/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
		const refused = await ask("GET", "/v1/paths");
		expect(refused).toMatchObject({ status: 401, body: { code: "access.token_missing" } });
		expect(refused.headers["content-type"]).toBe("application/problem+json");
		const token = await issueToken(
			[key],
			{ permissions: [{ action: "api", path: "" }], subject: "", expiresMs: systemClock.now() + 60_000 },
			systemClock,
		);
		const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
		expect(await ask("PUT", "/v1/paths/site/cam01", headers, '{"maxReaders":3}')).toMatchObject({ status: 201 });
		expect(await ask("GET", "/v1/paths/site/cam01", headers)).toMatchObject({
			status: 200,
			body: { config: { maxReaders: 3 } },
		});
		expect(await ask("GET", "/no.such.token/cam01/index.m3u8")).toMatchObject({ status: 401 });
		await scheduled();
	});

	it("believes which host was asked for from CloudFront alone, and a setting before that", async () => {
		await using folder = await tempDir();
		const key = await generateSigningKey();
		const hosts = async (environment: Record<string, string>, forwarded: string | undefined) => {
			const { handler } = createHandlers({ ...environmentOf(folder.path, key), ...environment });
			const headers = {
				authorization: `Bearer ${await adminToken(key)}`,
				"content-type": "application/json",
				...(forwarded === undefined ? {} : { "x-forwarded-host": forwarded }),
			};
			const made = event("POST", "/v1/tokens", headers, '{"path":"cam01","actions":["read"]}');
			const answer = (await handler(made, {} as LambdaContext)) as Answer;
			expect(answer.statusCode).toBe(201);
			return new URL((JSON.parse(answer.body) as { url: string }).url).host;
		};
		const own = "abc.lambda-url.eu-west-1.on.aws";
		const cdn = { SLUICE_CDN: "cloudfront" };
		expect(await hosts({}, "evil.example")).toBe(own);
		expect(await hosts({}, undefined)).toBe(own);
		expect(await hosts(cdn, "live.example.com")).toBe("live.example.com");
		expect(await hosts(cdn, undefined)).toBe(own);
		for (const odd of ["", "a/b", "a@b", "a b", "a#b", "a?b", ".", "x".repeat(300)])
			expect(await hosts(cdn, odd), odd).toBe(own);
		expect(await hosts({ ...cdn, SLUICE_PUBLIC_URL: "https://tv.example" }, "live.example.com")).toBe("tv.example");
	});

	it("takes bodies in base64, and answers media so, byte for byte, without a cookie", async () => {
		await using folder = await tempDir();
		const key = await generateSigningKey();
		const environment = environmentOf(folder.path, key);
		const { handler } = createHandlers(environment);
		const call = async (made: LambdaEvent) => (await handler(made, {} as LambdaContext)) as Answer;
		const headers = { authorization: `Bearer ${await adminToken(key)}`, "content-type": "application/json" };
		const plain = event("PUT", "/v1/paths/cam01", headers, Buffer.from('{"maxReaders":7}').toString("base64"));
		expect((await call({ ...plain, isBase64Encoded: true } as LambdaEvent)).statusCode).toBe(201);
		expect((await call(plain)).statusCode).toBe(400);

		const media = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff);
		const name = mediaFile(1, 0, "v0");
		const store = await openStore(parseBucketLocation(environment.SLUICE_BUCKET));
		await store.put(mediaKey(parsePathName("cam01"), name), media, { contentType: "video/mp4" });
		const token = await issueToken(
			[key],
			{ permissions: [{ action: "read", path: "cam01" }], subject: "", expiresMs: systemClock.now() + 60_000 },
			systemClock,
		);
		const whole = await call(event("GET", `/${token}/cam01/${name}`));
		expect(whole).toMatchObject({
			statusCode: 200,
			isBase64Encoded: true,
			headers: { "content-type": "video/iso.segment" },
		});
		expect(Buffer.from(whole.body, "base64")).toEqual(Buffer.from(media));
		expect(whole.cookies ?? []).toEqual([]);
		for (const value of Object.values(whole.headers)) expect(typeof value).toBe("string");
		const part = await call(event("GET", `/${token}/cam01/${name}`, { range: "bytes=10-19" }));
		expect(part).toMatchObject({ statusCode: 206, headers: { "content-range": "bytes 10-19/1000" } });
		expect(Buffer.from(part.body, "base64")).toEqual(Buffer.from(media.subarray(10, 20)));
		// A function URL joins headers of one name by commas, and tells cookies apart from them.
		const many = { ...event("GET", `/${token}/cam01/${name}`, { accept: "video/mp4,*/*" }), cookies: ["a=1", "b=2"] };
		expect((await call(many as LambdaEvent)).statusCode).toBe(200);
		expect((await call(event("HEAD", `/${token}/cam01/${name}`))).body).toBe("");
	});

	it("delivers what waits in the outbox when the schedule says so", async () => {
		await using folder = await tempDir();
		await using endpoint = await receiver(() => 204);
		const key = await generateSigningKey();
		const environment = { ...environmentOf(folder.path, key), SLUICE_WEBHOOK_ALLOW_INSECURE: "true" };
		const { handler, scheduled } = createHandlers(environment);
		const headers = { authorization: `Bearer ${await adminToken(key)}`, "content-type": "application/json" };
		const made = (await handler(
			event("POST", "/v1/webhooks", headers, JSON.stringify({ url: endpoint.url })),
			{} as LambdaContext,
		)) as Answer;
		const { secret } = JSON.parse(made.body) as { secret: string };
		const path = parsePathName("cam01");
		const timestamp = new Date(systemClock.now()).toISOString();
		const said = { id: "evt_00000000", type: "stream.online", timestamp, sequence: 0, data: { path } };
		const store = await openStore(parseBucketLocation(environment.SLUICE_BUCKET));
		await store.put(outboxKey(path, 0), JSON.stringify(said));
		// EventBridge sends an event of its own, which says nothing that is needed.
		const call: (...event: unknown[]) => Promise<void> = scheduled;
		await call({ source: "aws.events", "detail-type": "Scheduled Event", detail: {} }, {});
		expect(endpoint.deliveries).toHaveLength(1);
		for (const { body, headers: sent } of endpoint.deliveries)
			expect(new Webhook(secret).verify(body, sent)).toEqual(said);
	});

	it("says what is missing in its environment, and tries again with the next call", async () => {
		const { handler } = createHandlers({});
		for (let call = 0; call < 2; call++)
			await expect(handler(event("GET", "/healthz"), {} as LambdaContext)).rejects.toThrow(/SLUICE_SIGNING_KEYS/);
	});
});
