/** As `signingKeys` in a node's data/secrets.json: a JSON list of private JWKs (ES256); the first signs tokens, all verify. */
export const signingKeys = new sst.Secret("SigningKeys");
/** As `streamKeySecrets` there: a JSON list of base64url strings; the first signs stream keys, all verify. */
export const streamKeySecrets = new sst.Secret("StreamKeySecrets");
