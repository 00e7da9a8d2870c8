import { describe, expect, it } from "vitest";
import { decryptConfig } from "./encrypted-file.ts";

/** Made with golang.org/x/crypto/nacl/secretbox: key "testkey", nonce of 24 bytes 1 to 24, text "rtsp: false\n". */
const KEY = "testkey";

describe("an encrypted configuration", () => {
	it("is what NaCl's secretbox made of it", () => {
		const sealed = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYJ158xPTez4d0r5SlzbEh7UztBO1/28NmaMyiLg==";
		expect(decryptConfig(`${sealed}\n`, KEY, "f.yml")).toBe("rtsp: false\n");
	});

	it("is refused when the key or the text is another one", () => {
		for (const text of ["", "!", "AAAA", Buffer.alloc(60, 1).toString("base64")]) {
			expect(() => decryptConfig(text, KEY, "f.yml")).toThrow(/f\.yml cannot be decrypted with MTX_CONFKEY/);
		}
	});
});
