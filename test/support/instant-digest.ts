import { createHash } from "node:crypto";

/**
 * Makes `crypto.subtle.digest` answer at once, until disposed. WebCrypto answers from another thread, in its own time,
 * which neither a fake clock nor a seed settles.
 */
export function instantDigest(): Disposable {
	const { digest } = crypto.subtle;
	crypto.subtle.digest = async (_algorithm, data) => {
		const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : (data as Uint8Array);
		return new Uint8Array(createHash("sha256").update(bytes).digest()).buffer;
	};
	return {
		[Symbol.dispose]() {
			crypto.subtle.digest = digest;
		},
	};
}
