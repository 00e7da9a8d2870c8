import { signingKeys, streamKeySecrets } from "./secrets.ts";
import { bucket } from "./storage.ts";

/** What the HTTP entry and the scheduled one share. */
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
		SLUICE_SIGNING_KEYS: signingKeys.value,
		SLUICE_STREAM_KEY_SECRETS: streamKeySecrets.value,
	},
} satisfies Partial<sst.aws.FunctionArgs>;

/** Tokens, configuration, playback and webhooks over HTTPS. */
export const functions = new sst.aws.Function("Functions", {
	...functionArgs,
	handler: "functions/lambda.handler",
	url: true,
});
