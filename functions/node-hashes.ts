import { createHash, createHmac } from "node:crypto";
import type { Hashes } from "#shared/access/presign.ts";

/** The synchronous hash functions of Node.js. */
export const nodeHashes: Hashes = {
	hmac: (key, text) => createHmac("sha256", key).update(text).digest(),
	sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
};
