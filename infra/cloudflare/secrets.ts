/** As `signingKeys` in a node's data/secrets.json: a JSON list of private JWKs (ES256); the first signs tokens, all verify. */
const signingKeys = new sst.Secret("SigningKeys");
/** As `streamKeySecrets` there: a JSON list of base64url strings; the first signs stream keys, all verify. */
const streamKeySecrets = new sst.Secret("StreamKeySecrets");
/** SHA-256 of the first administrator's API key, and of others; separated by commas. */
const adminKeyHashes = new sst.Secret("AdminKeyHashes");
/** SHA-256 of keys that may only make machines media nodes, `JoinKey` of infra/new-secrets.ts first; separated by commas. */
const nodeKeyHashes = new sst.Secret("NodeKeyHashes");
/** Who starts nodes when there is none, and `whsec_` and 32 bytes in base64 to sign that call with. Empty: nobody. */
const wakeUrl = new sst.Secret("WakeUrl", "");
const wakeSecret = new sst.Secret("WakeSecret", "");
/**
 * An R2 API token for this bucket alone, with Object Read & Write, which `sluice join` hands to nodes. Empty: nodes bring
 * their own.
 */
const nodeAccessKeyId = new sst.Secret("NodeAccessKeyId", "");
const nodeSecretAccessKey = new sst.Secret("NodeSecretAccessKey", "");

/** What the Worker keeps as secrets: Cloudflare shows them to nobody again. */
export const workerSecrets = {
	SLUICE_SIGNING_KEYS: signingKeys.value,
	SLUICE_STREAM_KEY_SECRETS: streamKeySecrets.value,
	SLUICE_ADMIN_KEY_HASHES: adminKeyHashes.value,
	SLUICE_NODE_KEY_HASHES: nodeKeyHashes.value,
	SLUICE_WAKE_URL: wakeUrl.value,
	SLUICE_WAKE_SECRET: wakeSecret.value,
	SLUICE_NODE_ACCESS_KEY_ID: nodeAccessKeyId.value,
	SLUICE_NODE_SECRET_ACCESS_KEY: nodeSecretAccessKey.value,
};
