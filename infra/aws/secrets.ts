import { tags } from "./tags.ts";

/** As `signingKeys` in a node's data/secrets.json: a JSON list of private JWKs (ES256); the first signs tokens, all verify. */
export const signingKeys = new sst.Secret("SigningKeys");
/** As `streamKeySecrets` there: a JSON list of base64url strings; the first signs stream keys, all verify. */
export const streamKeySecrets = new sst.Secret("StreamKeySecrets");
/** `whsec_` and 32 bytes in base64: signs the call that wakes nodes. */
export const wakeSecret = new sst.Secret("WakeSecret");
/** SHA-256 of the first administrator's API key, and of others; separated by commas. */
export const adminKeyHashes = new sst.Secret("AdminKeyHashes");
/** SHA-256 of {@link joinKey}, and of others that may only make machines media nodes; separated by commas. */
export const nodeKeyHashes = new sst.Secret("NodeKeyHashes");
/** The API key that nodes join with. */
const joinKey = new sst.Secret("JoinKey");

/** Where nodes find their secrets: the last part of a parameter's name is that of the file that a node gets. */
export const NODE_PARAMETERS = `/${$app.name}/${$app.stage}/node/`;

export const nodeJoinKey = new aws.ssm.Parameter("NodeJoinKey", {
	name: `${NODE_PARAMETERS}join-key`,
	type: "SecureString",
	value: joinKey.value,
	description: "What media nodes join with",
	tags,
});
