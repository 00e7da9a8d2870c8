import { buildConsole, CONSOLE_BUILD } from "../console.ts";
import { chosenDomain } from "../stage.ts";
import { adminKeyHashes, nodeKeyHashes, signingKeys, streamKeySecrets, wakeSecret } from "./secrets.ts";
import { LAMBDA_TRUST } from "./statements.ts";
import { bucket } from "./storage.ts";
import { wake } from "./wake.ts";

const domain = chosenDomain(process.env);

/** What all entries of the functions share. */
export const functionArgs = {
	runtime: "nodejs24.x",
	architecture: "arm64",
	memory: "512 MB",
	timeout: "30 seconds",
	permissions: [
		{ actions: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], resources: [$interpolate`${bucket.arn}/*`] },
		{ actions: ["s3:ListBucket"], resources: [bucket.arn] },
	],
	environment: {
		SLUICE_BUCKET: $interpolate`s3://${bucket.name}`,
		SLUICE_NODE_BUCKET: $interpolate`s3://${bucket.name}?region=${aws.getRegionOutput().region}`,
		SLUICE_SIGNING_KEYS: signingKeys.value,
		SLUICE_STREAM_KEY_SECRETS: streamKeySecrets.value,
		SLUICE_ADMIN_KEY_HASHES: adminKeyHashes.value,
		SLUICE_NODE_KEY_HASHES: nodeKeyHashes.value,
		SLUICE_WAKE_URL: wake.url,
		SLUICE_WAKE_SECRET: wakeSecret.value,
		...(domain === null ? {} : { SLUICE_PUBLIC_URL: `https://${domain}` }),
	},
	logging: { retention: "1 month" },
	transform: { role: { assumeRolePolicy: LAMBDA_TRUST } },
} satisfies Partial<sst.aws.FunctionArgs>;

/**
 * Playlists and segments. Only the CDN may call it: AWS signs what the CDN asks for (origin access control), and refuses
 * everybody else.
 */
export const playback = new sst.aws.Function("Playback", {
	...functionArgs,
	handler: "functions/lambda.handler",
	// Only then are headers about the viewer believed.
	environment: { ...functionArgs.environment, SLUICE_CDN: "cloudfront" },
	url: { authorization: "iam", cors: false },
});

await buildConsole($cli.paths.root);

/**
 * Configuration, tokens, routing and the console. Its address is open, because a CDN cannot sign bodies on behalf of
 * clients (they would have to send x-amz-content-sha256); each route of it asks for its own token.
 */
export const api = new sst.aws.Function("Api", {
	...functionArgs,
	handler: "functions/lambda.handler",
	copyFiles: [{ from: CONSOLE_BUILD }],
	url: { cors: false },
});
