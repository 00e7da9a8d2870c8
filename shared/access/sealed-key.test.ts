import { base64url } from "jose";
import { describe, expect, it } from "vitest";
import { openKey, sealKey } from "./sealed-key.ts";
import { generateSigningKey } from "./signing-key.ts";

describe("a sealed signing key", () => {
	it("is opened by the environment's key that sealed it, wherever that stands in the list", async () => {
		const [root, other, key] = await Promise.all([generateSigningKey(), generateSigningKey(), generateSigningKey()]);
		const sealed = await sealKey(key, [root, other]);
		expect(sealed.sealedBy).toBe(root.kid);
		expect(await openKey(key.kid, sealed, [other, root])).toEqual(key);
		await expect(openKey(key.kid, sealed, [other])).rejects.toMatchObject({ code: "store.refused" });
		await expect(openKey(key.kid, { ...sealed, sealedBy: other.kid }, [other])).rejects.toMatchObject({
			code: "store.refused",
		});
	});

	it("tells nothing of the key, and is another one each time", async () => {
		const [root, key] = await Promise.all([generateSigningKey(), generateSigningKey()]);
		const [one, two] = [await sealKey(key, [root]), await sealKey(key, [root])];
		expect(one.sealed).not.toBe(two.sealed);
		const text = Buffer.from(one.sealed, "base64url").toString("latin1");
		for (const secret of [key.d, key.x, "P-256"]) expect(text).not.toContain(secret);
	});

	it("is refused when a bit of it was changed, when it is cut, and under another name", async () => {
		const [root, key] = await Promise.all([generateSigningKey(), generateSigningKey()]);
		const sealed = await sealKey(key, [root]);
		const bytes = base64url.decode(sealed.sealed);
		for (let i = 0; i < bytes.length; i += 7) {
			const changed = bytes.map((byte, at) => (at === i ? byte ^ 1 : byte));
			for (const bad of [changed, bytes.subarray(0, i)]) {
				await expect(openKey(key.kid, { ...sealed, sealed: base64url.encode(bad) }, [root])).rejects.toMatchObject({
					code: "store.refused",
				});
			}
		}
		await expect(openKey("another", sealed, [root])).rejects.toMatchObject({ code: "store.refused" });
	});
});
