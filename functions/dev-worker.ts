/**
 * `npm run dev:worker`: the functions in Cloudflare's runtime on this machine, offline, over a local R2 bucket that a
 * media node can write to by its S3 API.
 */

import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { generateSigningKey, type SigningKey, signingKeysSchema } from "#shared/access/signing-key.ts";
import { issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const PORT = 8787;
const KEYS_FILE = path.join(ROOT, ".wrangler/sluice-keys.json");
/** As wrangler.jsonc has them. */
const BUCKET = "sluice";
const CREDENTIALS = { accessKeyId: "sluice-dev", secretAccessKey: "sluice-dev-secret" };

const keysSchema = z.object({ signingKeys: signingKeysSchema, streamKeySecrets: z.array(z.string()).min(1) });
export type WorkerKeys = z.infer<typeof keysSchema>;

export type DevWorkerOptions = {
	/** 0 for any free one. */
	readonly port: number;
	readonly keys: WorkerKeys;
	/** The folder of the bucket; `null` for one that is gone with the process. */
	readonly persist: string | null;
};

export type DevWorker = AsyncDisposable & {
	readonly url: string;
	readonly keys: WorkerKeys;
	readonly s3: {
		readonly endpoint: string;
		readonly bucket: string;
		readonly accessKeyId: string;
		readonly secretAccessKey: string;
	};
	/** Runs the cron trigger now. */
	scheduled(): Promise<void>;
};

/** Starts workerd with the Worker of wrangler.jsonc. Nothing is asked of the network. */
export async function startDevWorker({ port, keys, persist }: DevWorkerOptions): Promise<DevWorker> {
	// Wrangler reads these when it is loaded.
	Object.assign(process.env, {
		WRANGLER_SEND_METRICS: "false",
		CLOUDFLARE_CF_FETCH_ENABLED: "false",
		WRANGLER_HIDE_BANNER: "true",
		CI: "true",
	});
	const { unstable_startWorker } = await import("wrangler");
	const text = (value: unknown) => ({ type: "plain_text" as const, value: JSON.stringify(value) });
	const worker = await unstable_startWorker({
		config: path.join(ROOT, "wrangler.jsonc"),
		bindings: {
			SLUICE_SIGNING_KEYS: text(keys.signingKeys),
			SLUICE_STREAM_KEY_SECRETS: text(keys.streamKeySecrets),
			SLUICE_WEBHOOK_ALLOW_INSECURE: { type: "plain_text", value: "true" },
		},
		dev: { server: { hostname: "127.0.0.1", port }, inspector: false, persist: persist ?? false, logLevel: "warn" },
	});
	await worker.ready;
	const url = (await worker.url).origin;
	return {
		url,
		keys,
		s3: { endpoint: `${url}/cdn-cgi/local/r2/s3`, bucket: BUCKET, ...CREDENTIALS },
		async scheduled() {
			const response = await fetch(`${url}/cdn-cgi/handler/scheduled`);
			if (!response.ok) throw new Error(`The cron trigger answered ${response.status}: ${await response.text()}`);
		},
		[Symbol.asyncDispose]: () => worker.dispose(),
	};
}

/** The bucket's address in a node's configuration. */
export function bucketUrlOf({ s3 }: Pick<DevWorker, "s3">): string {
	return `s3://${s3.bucket}?region=auto&endpoint=${s3.endpoint}&pathStyle=true`;
}

export async function generateWorkerKeys(): Promise<WorkerKeys> {
	return { signingKeys: [await generateSigningKey()], streamKeySecrets: [randomBytes(32).toString("base64url")] };
}

async function readOrMakeKeys(): Promise<WorkerKeys> {
	try {
		return keysSchema.parse(JSON.parse(await readFile(KEYS_FILE, "utf8")));
	} catch (error) {
		if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
	}
	const keys = await generateWorkerKeys();
	await mkdir(path.dirname(KEYS_FILE), { recursive: true });
	await writeFile(KEYS_FILE, JSON.stringify(keys), { mode: 0o600 });
	return keys;
}

function adminToken(signingKeys: readonly SigningKey[]): Promise<string> {
	const grant = {
		permissions: [{ action: "api" as const, path: "" }],
		subject: "admin",
		expiresMs: systemClock.now() + 24 * 3_600_000,
	};
	return issueToken(signingKeys, grant, systemClock);
}

if (import.meta.main) {
	const keys = await readOrMakeKeys();
	const worker = await startDevWorker({ port: PORT, keys, persist: path.join(ROOT, ".wrangler/state") });
	process.stdout.write(`
  Console   ${worker.url}/console/
  API       ${worker.url}/openapi.json
  Bucket    a media node writes to it with AWS_ACCESS_KEY_ID=${CREDENTIALS.accessKeyId} AWS_SECRET_ACCESS_KEY=${CREDENTIALS.secretAccessKey}
            and these lines in its sluice.yml:

bucket: ${bucketUrlOf(worker)}
functions: false
authJWTJWKS: ${worker.url}/.well-known/jwks.json

  Admin token, valid for a day:
${await adminToken(keys.signingKeys)}
`);
	for (const name of ["SIGINT", "SIGTERM"] as const) {
		process.once(name, () => void worker[Symbol.asyncDispose]().then(() => process.exit(0)));
	}
}
