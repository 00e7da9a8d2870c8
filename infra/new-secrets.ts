/**
 * Makes the secrets of a stage, and prints them for `sst secret load`; the administrator's key goes to standard error,
 * and is kept nowhere.
 *
 * Usage: node infra/new-secrets.ts > secrets.env && npx sst secret load secrets.env --stage <stage> && rm secrets.env
 */

import { randomBytes } from "node:crypto";
import { generateApiKey, hashApiKey } from "#shared/access/api-key.ts";
import { generateSigningKey } from "#shared/access/signing-key.ts";
import { generateWebhookSecret } from "#shared/events/standard-webhooks.ts";

const STREAM_KEY_SECRET_BYTES = 32;

/** New secrets, by the names of infra/aws/secrets.ts and infra/cloudflare/secrets.ts. */
export async function newSecrets(): Promise<{ adminKey: string; secrets: Record<string, string> }> {
	const adminKey = generateApiKey();
	const joinKey = generateApiKey();
	const streamKeySecret = randomBytes(STREAM_KEY_SECRET_BYTES).toString("base64url");
	return {
		adminKey,
		secrets: {
			SigningKeys: JSON.stringify([await generateSigningKey()]),
			StreamKeySecrets: JSON.stringify([streamKeySecret]),
			WakeSecret: generateWebhookSecret(),
			AdminKeyHashes: await hashApiKey(adminKey),
			NodeKeyHashes: await hashApiKey(joinKey),
			JoinKey: joinKey,
		},
	};
}

if (import.meta.main) {
	const { adminKey, secrets } = await newSecrets();
	for (const [name, value] of Object.entries(secrets)) process.stdout.write(`${name}='${value}'\n`);
	process.stderr.write(`The administrator's key, shown this once: ${adminKey}\n`);
}
