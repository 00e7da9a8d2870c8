import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import type { Hashes } from "#shared/access/presign.ts";

/** Node.js 24 takes ten times as long with a key of bytes: it is made an object of once. */
const keys = new WeakMap<Uint8Array, KeyObject>();

/** The synchronous hash functions of Node.js. */
export const nodeHashes: Hashes = {
	hmac(bytes, text) {
		let key = keys.get(bytes);
		if (key === undefined) {
			key = createSecretKey(bytes);
			keys.set(bytes, key);
		}
		return createHmac("sha256", key).update(text).digest();
	},
	sha256Hex: (text) => hash("sha256", text, "hex"),
};
