import type { LambdaContext, LambdaEvent } from "hono/aws-lambda";
import { describe, expect, it } from "vitest";
import { generateSigningKey } from "#shared/access/signing-key.ts";
import { issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
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

describe("the Lambda entry", () => {
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

	it("says what is missing in its environment, and tries again with the next call", async () => {
		const { handler } = createHandlers({});
		for (let call = 0; call < 2; call++)
			await expect(handler(event("GET", "/healthz"), {} as LambdaContext)).rejects.toThrow(/SLUICE_SIGNING_KEYS/);
	});
});
