import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { createContext, runInContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parsePathName } from "#shared/path-name.ts";
import {
	ACCESS_KEY,
	API_KEYS_KEY,
	auditKey,
	CONFIG_VERSION_KEY,
	DELIVERY_LEASE_KEY,
	eventKey,
	headKey,
	indexKey,
	initFile,
	leaseKey,
	mediaFile,
	mediaKey,
	nodeHeartbeatKey,
	nodeRegistrationKey,
	nodeStreamsKey,
	outboxKey,
	pathConfigKey,
	pathVersionKey,
	recordKey,
	usageDayKey,
	usageHourKey,
	webhookKey,
} from "#shared/store/key.ts";
import { ROUTES } from "../../functions/app.ts";
import { CONSOLE_ROOT } from "../../functions/console-files.ts";
import { API_PATTERNS, matchesPattern } from "../../infra/cdn-paths.ts";
import { CONSOLE_BUILD } from "../../infra/console.ts";
import { MAX_USER_DATA_BYTES } from "../../infra/node/user-data.ts";
import { planText } from "../support/infra-plan.ts";
import { type Infra, runInfra } from "../support/infra-run.ts";
import { Program } from "../support/program.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** Policies of CloudFront's own, by their ids: see infra/aws/cdn.ts. */
const CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6";
/** The first run installs SST's sources. */
const PREPARE_MS = 400_000;

type Policy = {
	Statement: { Sid?: string; Effect: string; Action: unknown; Resource: unknown; Condition?: unknown }[];
};

/** The files of the console, from the root of the repository. */
async function consoleBuild(): Promise<string[]> {
	const entries = await readdir(path.join(ROOT, CONSOLE_BUILD), { recursive: true, withFileTypes: true });
	return entries
		.filter((entry) => entry.isFile())
		.map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)));
}

describe("infrastructure on AWS", () => {
	let infra: Infra;
	beforeAll(async () => {
		infra = await runInfra("test");
	}, PREPARE_MS);

	const policyOf = (name: string, property = "policy") => JSON.parse(String(infra.one(name)[property])) as Policy;

	it("is type-checked, under the types that SST makes of its providers", async () => {
		const compiler = path.join(ROOT, "node_modules/typescript/bin/tsc");
		await new Program(process.execPath, [compiler, "-p", "infra", "--noEmit"], { cwd: ROOT }).succeed();
	});

	it("has no bucket that is public, and none that takes plain HTTP for media", () => {
		const buckets = infra.all("aws:s3/bucket:Bucket");
		expect(buckets.map(({ name }) => name).sort()).toEqual(["BucketBucket", "Releases"]);
		const blocks = infra.all("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock");
		expect(blocks).toHaveLength(buckets.length);
		for (const { name } of blocks)
			expect(infra.one(name)).toMatchObject({
				blockPublicAcls: true,
				blockPublicPolicy: true,
				ignorePublicAcls: true,
				restrictPublicBuckets: true,
			});
		const [statement, ...others] = policyOf("BucketPolicy").Statement;
		expect(others).toEqual([]);
		expect(statement).toMatchObject({
			Effect: "Deny",
			Action: ["s3:*"],
			Condition: { Bool: { "aws:SecureTransport": ["false"] } },
		});
	});

	it("deletes no object by a rule of the bucket: only uploads that were never finished", () => {
		const rules = infra.one("BucketLifecycle")["rules"] as Record<string, unknown>[];
		expect(rules).toHaveLength(1);
		expect(rules[0]).toEqual({
			id: "aborted-uploads",
			status: "Enabled",
			filter: { prefix: "" },
			abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
		});
	});

	it("lets players of all origins read presigned segments, and write nothing", () => {
		expect(infra.one("BucketCors")["corsRules"]).toMatchObject([
			{ allowedOrigins: ["*"], allowedMethods: ["GET", "HEAD"] },
		]);
	});

	it("shows release files to the CDN alone", () => {
		expect(policyOf("ReleasesPolicy").Statement).toEqual([
			{
				Sid: "ReadByTheCdn",
				Effect: "Allow",
				Principal: { Service: "cloudfront.amazonaws.com" },
				Action: "s3:GetObject",
				Resource: "arn:aws:s3:::releases-mock/releases/*",
				Condition: { StringEquals: { "AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E1MOCK" } },
			},
		]);
	});

	it("gives nodes their streams and signs of life, and no webhook, key, delivery or audit log", () => {
		const { Statement } = policyOf("NodePolicy");
		const bucket = String(infra.one("BucketBucket")["bucket"]);
		const objects = Statement.filter(({ Action }) => String(Action).includes("Object")).flatMap(
			({ Action, Resource }) =>
				(Resource as string[]).map(
					(resource) => `${String(Action)} ${resource.replace(`arn:aws:s3:::${bucket}/`, "")}`,
				),
		);
		expect(objects).toEqual([
			"s3:GetObject streams/*",
			"s3:GetObject events/*",
			"s3:GetObject nodes/*/heartbeat.jws",
			"s3:GetObject nodes/*/registration.json",
			"s3:GetObject config/paths/*",
			"s3:GetObject config/version.json",
			"s3:GetObject config/access.json",
			"s3:PutObject streams/*",
			"s3:PutObject events/*",
			"s3:PutObject outbox/*",
			"s3:PutObject nodes/*/heartbeat.jws",
			"s3:PutObject nodes/*/streams.json",
			"s3:PutObject usage/*/*/*.json",
			"s3:DeleteObject streams/*",
			"s3:DeleteObject nodes/*/heartbeat.jws",
			"s3:DeleteObject nodes/*/streams.json",
		]);
		for (const { Resource } of Statement) expect(Resource).not.toContain("*");
	});

	it("lets nodes write each key that is theirs to write, and none that is another's", () => {
		const allowed = (action: string) =>
			policyOf("NodePolicy")
				.Statement.filter(({ Action }) => String(Action) === action)
				.flatMap(({ Resource }) => Resource as string[])
				.map((resource) => resource.replace(/^arn:aws:s3:::[^/]+\//, ""));
		const may = (action: string, key: string) => allowed(action).some((pattern) => matchesPattern(pattern, key));
		const name = parsePathName("site/cam01");
		const streams = [
			leaseKey(name),
			headKey(name),
			recordKey(name, 1),
			indexKey(name, "2026-11-21T14"),
			mediaKey(name, mediaFile(1, 1, "v0")),
			mediaKey(name, initFile(1, 1, "v0")),
		];
		const signs = [nodeHeartbeatKey("n1"), nodeStreamsKey("n1")];
		const written = [
			...streams,
			...signs,
			...[eventKey(name, 1), outboxKey(name, 1), usageHourKey("2026-11-21", 14, "n1")],
		];
		expect(written.filter((key) => !may("s3:PutObject", key))).toEqual([]);
		expect([...streams, ...signs].filter((key) => !may("s3:DeleteObject", key))).toEqual([]);
		const read = [...streams, eventKey(name, 1), nodeRegistrationKey("n1"), pathConfigKey(name)];
		expect([...read, CONFIG_VERSION_KEY, ACCESS_KEY].filter((key) => !may("s3:GetObject", key))).toEqual([]);
		const notTheirs = [
			...[nodeRegistrationKey("n1"), usageDayKey("2026-11-21"), pathConfigKey(name), CONFIG_VERSION_KEY, ACCESS_KEY],
			...[API_KEYS_KEY, webhookKey("w1"), DELIVERY_LEASE_KEY, auditKey(0, "a1"), pathVersionKey(name, 1)],
		];
		expect(notTheirs.filter((key) => may("s3:PutObject", key) || may("s3:DeleteObject", key))).toEqual([]);
	});

	it("lets nodes and the wake-up call touch one group, and nothing else of AWS", () => {
		const group =
			"arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:*:autoScalingGroupName/sluice-test-nodes";
		const scaling = policyOf("NodePolicy").Statement.filter(({ Action }) => String(Action).includes("autoscaling:"));
		expect(scaling.map(({ Resource }) => Resource)).toEqual([[group]]);
		const [inline] = infra.one("WakeRole")["inlinePolicies"] as { policy: string }[];
		expect(JSON.parse(inline?.policy ?? "{}").Statement).toEqual([
			{ Effect: "Allow", Action: ["autoscaling:ExecutePolicy"], Resource: [group] },
		]);
	});

	it("gives the functions the bucket, and nothing else", () => {
		const bucket = `arn:aws:s3:::${String(infra.one("BucketBucket")["bucket"])}`;
		for (const role of ["PlaybackRole", "ApiRole", "DeliverRole"]) {
			const [inline] = infra.one(role)["inlinePolicies"] as { policy: string }[];
			const { Statement } = JSON.parse(inline?.policy ?? "{}") as { Statement: unknown[] };
			expect(Statement).toEqual([
				{
					Effect: "Allow",
					Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
					Resource: [`${bucket}/*`],
				},
				{ Effect: "Allow", Action: ["s3:ListBucket"], Resource: [bucket] },
			]);
		}
	});

	it("lets Lambda alone take the roles of functions, and EC2 alone that of nodes", () => {
		const roles = infra.all("aws:iam/role:Role").map(({ name }) => name);
		expect(roles.sort()).toEqual(["ApiRole", "DeliverRole", "NodeRole", "PlaybackRole", "WakeRole"]);
		for (const role of roles) {
			const service = role === "NodeRole" ? "ec2.amazonaws.com" : "lambda.amazonaws.com";
			expect(policyOf(role, "assumeRolePolicy").Statement).toEqual([
				{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" },
			]);
		}
	});

	it("keeps the variables of every function as secrets", () => {
		const functions = infra.all("aws:lambda/function:Function").map(({ name }) => name);
		expect(functions.sort()).toEqual(["ApiFunction", "DeliverFunction", "PlaybackFunction", "WakeFunction"]);
		for (const name of functions) expect(infra.isSecret(name, "environment")).toBe(true);
	});

	it("opens the media ports of nodes, and not one more", () => {
		const rules = infra.one("NodeAccess")["ingress"] as { protocol: string; fromPort: number; toPort: number }[];
		expect(rules.map(({ protocol, fromPort, toPort }) => `${protocol} ${fromPort}-${toPort}`)).toEqual([
			"tcp 80-80",
			"tcp 8554-8554",
			"tcp 8322-8322",
			"tcp 8889-8889",
			"tcp 8189-8189",
			"udp 8000-8001",
			"udp 8189-8189",
		]);
		expect(infra.all("aws:ec2/securityGroup:SecurityGroup")).toHaveLength(1);
	});

	it("lets nobody but this CDN call the functions that trust it", () => {
		expect(infra.one("PlaybackUrl")["authorizationType"]).toBe("AWS_IAM");
		const playback = infra.one("PlaybackFunction")["name"];
		const permissions = infra.all("aws:lambda/permission:Permission").map(({ name }) => infra.one(name));
		const ours = permissions.filter((permission) => permission["function"] === playback);
		expect(ours.map(({ action, principal, sourceArn }) => ({ action, principal, sourceArn }))).toEqual(
			["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"].map((action) => ({
				action,
				principal: "cloudfront.amazonaws.com",
				sourceArn: "arn:aws:cloudfront::123456789012:distribution/E1MOCK",
			})),
		);
		const variables = (name: string) =>
			(infra.one(name)["environment"] as { variables: Record<string, string> }).variables;
		expect(variables("PlaybackFunction")["SLUICE_CDN"]).toBe("cloudfront");
		expect(variables("ApiFunction")["SLUICE_CDN"]).toBeUndefined();
	});

	it("shares what is cached among viewers: neither headers, cookies nor reports of players are in the key", () => {
		expect(infra.one("PlaybackCache")).toMatchObject({
			minTtl: 0,
			defaultTtl: 0,
			parametersInCacheKeyAndForwardedToOrigin: {
				cookiesConfig: { cookieBehavior: "none" },
				headersConfig: { headerBehavior: "none" },
				queryStringsConfig: {
					queryStringBehavior: "whitelist",
					queryStrings: { items: ["_HLS_msn", "_HLS_part", "_HLS_skip", "start", "end"] },
				},
			},
		});
	});

	it("verifies tokens in the function that the CDN runs for playback, whose keys are a secret", () => {
		const distribution = infra.one("CdnDistribution");
		expect(distribution["defaultCacheBehavior"]).toMatchObject({
			targetOriginId: "playback",
			cachePolicyId: "PlaybackCache-id",
			allowedMethods: ["GET", "HEAD", "OPTIONS"],
			functionAssociations: [{ eventType: "viewer-request", functionArn: expect.stringContaining("VerifyToken") }],
		});
		const { code, runtime } = infra.one("VerifyToken") as { code: string; runtime: string };
		expect(runtime).toBe("cloudfront-js-2.0");
		expect(code).toContain("x-sluice-edge");
		expect(code).not.toContain("__SETTINGS__");
		expect(code).toContain('"playlists":"origin"');
		expect(infra.isSecret("VerifyToken", "code")).toBe(true);
	});

	it("tells the API which host a client asked for, whatever the client says of it", () => {
		const { code } = infra.one("ForwardHost") as { code: string };
		const headers = { host: { value: "live.example.com" }, "x-forwarded-host": { value: "evil.example" } };
		const context = createContext({ event: { request: { headers } } });
		const request = runInContext(`${code}; handler(event)`, context) as { headers: typeof headers };
		expect(request.headers["x-forwarded-host"]).toEqual({ value: "live.example.com" });
	});

	it("leads every route of the API past the cache, and nothing that is playback", () => {
		const patterns = (infra.one("CdnDistribution")["orderedCacheBehaviors"] as { pathPattern: string }[]).map(
			({ pathPattern }) => pathPattern,
		);
		expect(patterns).toEqual(["/releases/*", "/console/assets/*", ...API_PATTERNS]);
		const isApi = (address: string) => API_PATTERNS.some((pattern) => matchesPattern(pattern, address));
		const lost = ROUTES.map(({ path: address }) => address).filter((address) => !isApi(address));
		expect(lost).toEqual([]);
		for (const address of ["/e1.abc.def/cam/index.m3u8", "/edge/cam/video.m3u8", "/eyJhbGciOi/v1/x.m4s"])
			expect(isApi(address)).toBe(false);
	});

	it("keeps at the edge what of the console is named by its content, and nothing else", async () => {
		type Behavior = { pathPattern: string; targetOriginId: string; cachePolicyId: string };
		const behaviors = infra.one("CdnDistribution")["orderedCacheBehaviors"] as Behavior[];
		const behaviorOf = (address: string) => behaviors.find(({ pathPattern }) => matchesPattern(pathPattern, address));
		const addresses = (await consoleBuild()).map((file) => CONSOLE_ROOT + path.relative(CONSOLE_BUILD, file));
		const hashed = addresses.filter((address) => /-[\w-]{8}\.\w+$/.test(address));
		expect(hashed.length).toBeGreaterThan(1);
		const kept = addresses.filter((address) => behaviorOf(address)?.cachePolicyId === CACHING_OPTIMIZED);
		expect(kept.sort()).toEqual(hashed.sort());
		for (const address of ["/console", CONSOLE_ROOT, "/console/index.html", "/console/paths/cam01", "/console/assets"])
			expect(behaviorOf(address)).toMatchObject({ targetOriginId: "api", cachePolicyId: CACHING_DISABLED });
		for (const address of addresses) expect(behaviorOf(address)?.targetOriginId).toBe("api");
		// No header of a viewer reaches the function: what it answers one of them is for all.
		expect(behaviorOf("/console/assets/x-00000000.js")).not.toHaveProperty("originRequestPolicyId");
	});

	it("uploads the console with the function that answers for it, and with no other", async () => {
		const consoleIn = (name: string) => infra.packages.get(name)?.filter((file) => file.startsWith(CONSOLE_BUILD));
		expect([...infra.packages.keys()].sort()).toEqual(["Api", "Deliver", "Playback", "Wake"]);
		const files = await consoleBuild();
		expect(files).toContain(`${CONSOLE_BUILD}/index.html`);
		expect(consoleIn("Api")?.sort()).toEqual(files.sort());
		for (const name of ["Deliver", "Playback", "Wake"]) expect(consoleIn(name)).toEqual([]);
	});

	it("has no node until somebody wants one, replaces them one by one, and goes back when a new one is not healthy", () => {
		const group = infra.one("Nodes") as Record<string, never>;
		expect(group).toMatchObject({ minSize: 0, desiredCapacity: 0, maxSize: 4 });
		expect(group["instanceRefresh"]).toMatchObject({
			strategy: "Rolling",
			preferences: { minHealthyPercentage: 100, autoRollback: true, skipMatching: true },
		});
		expect(group["initialLifecycleHooks"]).toMatchObject([
			{ lifecycleTransition: "autoscaling:EC2_INSTANCE_LAUNCHING", defaultResult: "ABANDON" },
			{ lifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING", defaultResult: "CONTINUE" },
		]);
		// A group cannot roll back to `$Latest`, nor with an image that is resolved later.
		expect(group["launchTemplate"]).toEqual({ id: "NodeTemplate-id", version: "7" });
		expect(infra.one("NodeTemplate")["imageId"]).toBe("ami-0123456789abcdef0");
	});

	it("boots nodes with a release of a known checksum, and with no secret in their user data", async () => {
		const text = Buffer.from(String(infra.one("NodeTemplate")["userData"]), "base64").toString();
		expect(Buffer.byteLength(text)).toBeLessThan(MAX_USER_DATA_BYTES);
		const files = (parse(text) as { write_files: { path: string; content: string }[] }).write_files;
		const release = files.find((file) => file.path === "/etc/sluice/release.env")?.content ?? "";
		const [, url, key, checksum] =
			/RELEASE_URL="(https:\/\/[^/]+)\/([^"]+)"\nRELEASE_SHA256="(\w+)"/.exec(release) ?? [];
		expect(url).toBe(infra.outputs["url"]);
		expect(infra.one("ReleaseFile")["key"]).toBe(key);
		const bytes = await readFile(path.join(ROOT, "dist/sluice-0.1.0.tar.gz"));
		expect(checksum).toBe(createHash("sha256").update(bytes).digest("hex"));
		for (const secret of ["the-join-key", "whsec_", "AAAAAAAAAAAAAAAA"]) expect(text).not.toContain(secret);
		expect(infra.isSecret("NodeJoinKey", "value")).toBe(true);
		expect(infra.one("NodeJoinKey")["type"]).toBe("SecureString");
	});

	it("asks for credentials of a machine with a session only", () => {
		expect(infra.one("NodeTemplate")["metadataOptions"]).toMatchObject({ httpTokens: "required" });
	});

	it("keeps what is in production, and removes the rest whole", async () => {
		expect(infra.app).toMatchObject({ removal: "remove", protect: false });
		expect(infra.one("BucketBucket")["forceDestroy"]).toBe(true);
		const production = await runInfra("production");
		expect(production.app).toMatchObject({ removal: "retain", protect: true });
		expect(production.one("BucketBucket")["forceDestroy"]).toBe(false);
		expect(production.one("Nodes")).toMatchObject({ name: "sluice-production-nodes", forceDelete: false });
	}, 120_000);

	it("is the plan that people have read", async () => {
		await expect(planText(infra)).toMatchFileSnapshot("../../infra/plan/aws.yml");
	});
});

describe("infrastructure on Cloudflare", () => {
	let infra: Infra;
	beforeAll(async () => {
		infra = await runInfra("test", { SLUICE_CLOUD: "cloudflare", SLUICE_DOMAIN: "live.example.com" });
	}, PREPARE_MS);

	type Binding = { type: string; name: string; text?: string };

	it("is a Worker with the bucket by its binding, at the domain", () => {
		const worker = infra.one("FunctionsScript");
		const bindings = worker["bindings"] as Binding[];
		expect(bindings).toContainEqual({ type: "r2_bucket", name: "BUCKET", bucketName: expect.any(String) });
		expect(bindings).toContainEqual({
			type: "plain_text",
			name: "SLUICE_PUBLIC_URL",
			text: "https://live.example.com",
		});
		expect(infra.one("FunctionsDomain")["hostname"]).toBe("live.example.com");
	});

	it("keeps keys as secrets of the Worker, never as plain variables", () => {
		const bindings = infra.one("FunctionsScript")["bindings"] as Binding[];
		const plainTexts = bindings.filter(({ type }) => type === "plain_text").map(({ name }) => name);
		expect(plainTexts.sort()).toEqual(["SLUICE_NODE_BUCKET", "SLUICE_PUBLIC_URL", "SST_RESOURCE_App"]);
		const secrets = bindings.filter(({ type }) => type === "secret_text").map(({ name }) => name);
		expect(secrets).toContain("SLUICE_SIGNING_KEYS");
		expect(infra.isSecret("FunctionsScript", "bindings")).toBe(true);
	});

	it("has the same schedule, runtime and entry as wrangler.jsonc", async () => {
		const text = await readFile(path.join(ROOT, "wrangler.jsonc"), "utf8");
		const wrangler = parse(text.replace(/^\s*\/\/.*$/gm, "").replace(/\t/g, " ")) as {
			compatibility_date: string;
			compatibility_flags: string[];
			triggers: { crons: string[] };
			r2_buckets: { binding: string }[];
			assets: Record<"directory" | "binding" | "html_handling" | "not_found_handling", string> & {
				run_worker_first: boolean;
			};
		};
		expect(infra.one("FunctionsScript")).toMatchObject({
			compatibilityDate: wrangler.compatibility_date,
			compatibilityFlags: wrangler.compatibility_flags,
		});
		expect(infra.one("Deliveries")["schedules"]).toEqual(wrangler.triggers.crons.map((cron) => ({ cron })));
		expect(wrangler.r2_buckets.map(({ binding }) => binding)).toEqual(["BUCKET"]);
		const { directory, run_worker_first: runWorkerFirst } = wrangler.assets;
		const { html_handling: htmlHandling, not_found_handling: notFoundHandling } = wrangler.assets;
		expect(infra.one("FunctionsScript")).toMatchObject({
			assets: { directory: path.join(ROOT, directory), config: { htmlHandling, notFoundHandling, runWorkerFirst } },
		});
		expect(infra.one("FunctionsScript")["bindings"]).toContainEqual({ type: "assets", name: wrangler.assets.binding });
	});

	it("keeps as secrets what the head of wrangler.jsonc asks for", async () => {
		const [head = ""] = (await readFile(path.join(ROOT, "wrangler.jsonc"), "utf8")).split("{");
		const bindings = infra.one("FunctionsScript")["bindings"] as Binding[];
		const secrets = bindings.filter(({ type }) => type === "secret_text").map(({ name }) => name);
		const asked = head.match(/SLUICE_\w+/g);
		expect(asked?.sort()).toEqual([
			"SLUICE_ADMIN_KEY_HASHES",
			"SLUICE_NODE_KEY_HASHES",
			"SLUICE_SIGNING_KEYS",
			"SLUICE_STREAM_KEY_SECRETS",
		]);
		expect(secrets).toEqual(expect.arrayContaining(asked ?? []));
	});

	it("makes nothing on AWS", () => {
		expect(infra.resources.filter(({ type }) => type.startsWith("aws:"))).toEqual([]);
	});

	it("is the plan that people have read", async () => {
		await expect(planText(infra)).toMatchFileSnapshot("../../infra/plan/cloudflare.yml");
	});
});
