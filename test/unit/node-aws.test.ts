import { createHash, createHmac } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { generateWebhookSecret, signWebhook } from "#shared/events/standard-webhooks.ts";
import { Group } from "../../infra/node/aws/group.ts";
import { Instance } from "../../infra/node/aws/instance.ts";
import { readNodeSecrets } from "../../infra/node/aws/node-secrets.ts";
import { type AwsFetch, endpointOf, signedHeaders } from "../../infra/node/aws/signed-call.ts";
import { createWake, type WakeEvent } from "../../infra/node/aws/wake.ts";
import { Program } from "../support/program.ts";

const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const NOW = Date.UTC(2026, 10, 21, 11, 0, 0);

/** As the SDK takes hashes: plain, or keyed. */
class Hash {
	readonly #hash: { update(bytes: string | Uint8Array): unknown; digest(): Buffer };

	constructor(key?: string | Uint8Array) {
		this.#hash = key === undefined ? createHash("sha256") : createHmac("sha256", key);
	}

	update(bytes: string | Uint8Array): void {
		this.#hash.update(bytes);
	}

	async digest(): Promise<Uint8Array> {
		return this.#hash.digest();
	}
}

type Sent = { url: string; method: string; headers: Record<string, string>; body: string };

/** AWS, as far as a test says. */
function fakeAws(answer: (sent: Sent) => Response): { fetch: AwsFetch; sent: Sent[] } {
	const sent: Sent[] = [];
	const fetch: AwsFetch = async (url, init) => {
		const call = {
			url,
			method: init.method ?? "GET",
			headers: (init.headers ?? {}) as Record<string, string>,
			body: String(init.body ?? ""),
		};
		sent.push(call);
		return answer(call);
	};
	return { fetch, sent };
}

describe("signed calls to AWS", () => {
	it("are signed as the SDK of AWS signs them", async () => {
		// The implementation that the S3 client uses, found from there: it is no package of ours.
		const fromSdk = createRequire(createRequire(import.meta.url).resolve("@aws-sdk/client-s3"));
		const { SignatureV4 } = fromSdk("@smithy/signature-v4");
		for (const sessionToken of [null, "a-session"]) {
			const call = {
				service: "ssm",
				region: "eu-west-1",
				endpoint: endpointOf("ssm", "eu-west-1"),
				headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AmazonSSM.GetParametersByPath" },
				body: '{"Path":"/ä"}',
			};
			const signer = new SignatureV4({
				service: "ssm",
				region: "eu-west-1",
				credentials: { ...CREDENTIALS, ...(sessionToken === null ? {} : { sessionToken }) },
				sha256: Hash,
				applyChecksum: false,
			});
			const expected = await signer.sign(
				{
					method: "POST",
					protocol: "https:",
					hostname: "ssm.eu-west-1.amazonaws.com",
					path: "/",
					query: {},
					headers: { ...call.headers, host: "ssm.eu-west-1.amazonaws.com" },
					body: call.body,
				},
				{ signingDate: new Date(NOW) },
			);
			const ours = signedHeaders(call, { ...CREDENTIALS, sessionToken }, NOW);
			expect(ours["authorization"]).toBe(expected.headers["authorization"]);
			expect(ours["x-amz-date"]).toBe("20261121T110000Z");
		}
	});

	it("go to the domain of China where that is", () => {
		expect(endpointOf("ssm", "cn-north-1")).toBe("https://ssm.cn-north-1.amazonaws.com.cn");
	});
});

describe("the part of a node that knows AWS", () => {
	it("runs from a release, and says what it takes", async () => {
		const main = path.resolve(import.meta.dirname, "../../infra/node/aws/main.ts");
		const program = new Program(process.execPath, [main]);
		expect(await program.exited).toEqual({ code: 1, signal: null });
		expect(program.errors).toBe("sluice-agent: Usage: main.ts secrets|agent\n");
	});
});

describe("the metadata of an instance", () => {
	const answers: Readonly<Record<string, string>> = {
		"/latest/api/token": "a-token",
		"/latest/dynamic/instance-identity/document": '{"instanceId":"i-1","region":"eu-west-1","accountId":"1"}',
		"/latest/meta-data/iam/security-credentials/": "node-role",
		"/latest/meta-data/iam/security-credentials/node-role":
			'{"AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-21T17:00:00Z"}',
	};

	it("is asked for with a session's token, which is fetched once and renewed in time", async () => {
		let monotonic = 0;
		const { fetch, sent } = fakeAws(({ url }) => {
			const text = answers[new URL(url).pathname];
			return text === undefined ? new Response("", { status: 404 }) : new Response(text);
		});
		const instance = new Instance(fetch, () => monotonic);
		expect(await instance.identity()).toEqual({ instanceId: "i-1", region: "eu-west-1" });
		expect(await instance.credentials()).toEqual({ accessKeyId: "ASIA", secretAccessKey: "s", sessionToken: "t" });
		expect(await instance.targetState()).toBeNull();
		expect(await instance.publicAddress()).toBeNull();
		expect(sent.filter(({ method }) => method === "PUT")).toHaveLength(1);
		expect(sent.slice(1).every(({ headers }) => headers["x-aws-ec2-metadata-token"] === "a-token")).toBe(true);
		monotonic = 21_600_000;
		await instance.targetState();
		expect(sent.filter(({ method }) => method === "PUT")).toHaveLength(2);
	});

	it("says which part is missing", async () => {
		const { fetch } = fakeAws(({ method }) => new Response("", { status: method === "PUT" ? 200 : 404 }));
		await expect(new Instance(fetch, () => 0).identity()).rejects.toThrow(/instance-identity/);
	});
});

describe("the secrets of a node", () => {
	it("are named by the last part of each parameter's name, over all pages", async () => {
		const pages = [
			{ Parameters: [{ Name: "/sluice/test/node/join-key", Value: "one" }], NextToken: "more" },
			{ Parameters: [{ Name: "/sluice/test/node/other", Value: "two" }] },
		];
		const { fetch, sent } = fakeAws(() => Response.json(pages.shift()));
		const credentials = { ...CREDENTIALS, sessionToken: null };
		expect(await readNodeSecrets("/sluice/test/node/", "eu-west-1", credentials, NOW, fetch)).toEqual({
			"join-key": "one",
			other: "two",
		});
		expect(sent.map(({ body }) => JSON.parse(body))).toEqual([
			{ Path: "/sluice/test/node/", WithDecryption: true },
			{ Path: "/sluice/test/node/", WithDecryption: true, NextToken: "more" },
		]);
	});
});

describe("an auto-scaling group", () => {
	const caller = (fetch: AwsFetch) => ({
		region: "eu-west-1",
		credentials: async () => ({ ...CREDENTIALS, sessionToken: null }),
		now: () => NOW,
		fetch,
	});

	it("makes itself smaller by the instance that is given back", async () => {
		const { fetch, sent } = fakeAws(() => new Response("<ok/>"));
		await new Group("nodes", caller(fetch)).release("i-1");
		expect(Object.fromEntries(new URLSearchParams(sent[0]?.body))).toEqual({
			Action: "TerminateInstanceInAutoScalingGroup",
			Version: "2011-01-01",
			InstanceId: "i-1",
			ShouldDecrementDesiredCapacity: "true",
		});
	});

	it("takes an instance that waits no more for one that goes on", async () => {
		const gone = "<Code>ValidationError</Code><Message>No active Lifecycle Action found with instance ID i-1</Message>";
		const { fetch } = fakeAws(() => new Response(gone, { status: 400 }));
		await new Group("nodes", caller(fetch)).proceed("sluice-ready", "i-1");
	});

	it("says what AWS said when it refuses", async () => {
		const { fetch } = fakeAws(() => new Response("AccessDenied: not you", { status: 403 }));
		const group = new Group("nodes", caller(fetch));
		await expect(group.proceed("sluice-ready", "i-1")).rejects.toThrow(
			/autoscaling answered 403: AccessDenied: not you/,
		);
	});
});

describe("the wake-up call", () => {
	const secret = generateWebhookSecret();
	const environment = {
		WAKE_SECRET: secret,
		AWS_GROUP: "nodes",
		AWS_GROW_POLICY: "one-more",
		AWS_REGION: "eu-west-1",
		AWS_ACCESS_KEY_ID: "ASIA",
		AWS_SECRET_ACCESS_KEY: "s",
		AWS_SESSION_TOKEN: "t",
	};
	const body = '{"type":"nodes.wanted"}';
	const signed = async (atMs = NOW, by = secret): Promise<WakeEvent> => ({
		headers: await signWebhook("wake_1", atMs, body, [by]),
		body,
	});

	it("asks the group for one node more", async () => {
		const { fetch, sent } = fakeAws(() => new Response("<ok/>"));
		const wake = createWake(environment, fetch, () => NOW);
		expect(await wake(await signed())).toMatchObject({ statusCode: 202 });
		expect(Object.fromEntries(new URLSearchParams(sent[0]?.body))).toMatchObject({
			Action: "ExecutePolicy",
			AutoScalingGroupName: "nodes",
			PolicyName: "one-more",
			HonorCooldown: "true",
		});
	});

	it("is content while a node is on its way", async () => {
		const busy = "<Code>ScalingActivityInProgress</Code>";
		const { fetch } = fakeAws(() => new Response(busy, { status: 400 }));
		expect(await createWake(environment, fetch, () => NOW)(await signed())).toMatchObject({ statusCode: 202 });
	});

	it("takes a body in base64 for what it is", async () => {
		const { fetch } = fakeAws(() => new Response("<ok/>"));
		const event = { ...(await signed()), body: Buffer.from(body).toString("base64"), isBase64Encoded: true };
		expect(await createWake(environment, fetch, () => NOW)(event)).toMatchObject({ statusCode: 202 });
	});

	it("does nothing for who has not signed, signed long ago, or with another secret", async () => {
		const { fetch, sent } = fakeAws(() => new Response("<ok/>"));
		const wake = createWake(environment, fetch, () => NOW);
		const events: WakeEvent[] = [
			{},
			{ headers: {}, body },
			await signed(NOW - 600_000),
			await signed(NOW, generateWebhookSecret()),
			{ ...(await signed()), body: `${body} ` },
			{ ...(await signed()), body: "x".repeat(5000) },
		];
		for (const event of events) expect(await wake(event)).toEqual({ statusCode: 401 });
		const unset = createWake({ ...environment, WAKE_SECRET: "" }, fetch, () => NOW);
		expect(await unset(await signed())).toEqual({ statusCode: 401 });
		expect(sent).toEqual([]);
	});
});
