import { CompactSign, importJWK } from "jose";
import { describe, expect, it } from "vitest";
import { heartbeatOf } from "../../test/support/nodes.ts";
import { signHeartbeat, verifyHeartbeat } from "./heartbeat.ts";
import { generateNodeKey, publicNodeKey } from "./node-key.ts";

const AT = Date.UTC(2026, 0, 1);
const REFUSED = { code: "access.token_invalid" };

describe("a heartbeat", () => {
	it("is read as it was written, with the public half of the key that signed it", async () => {
		const key = await generateNodeKey();
		const heartbeat = heartbeatOf("edge-1", AT, { host: null, region: "eu-central-1" });
		const text = await signHeartbeat(heartbeat, key);
		expect(await verifyHeartbeat(text, "edge-1", publicNodeKey(key))).toEqual(heartbeat);
		expect(publicNodeKey(key)).not.toHaveProperty("d");
	});

	it("is not believed when another key signed it, or under another name", async () => {
		const [key, other] = [await generateNodeKey(), await generateNodeKey()];
		const text = await signHeartbeat(heartbeatOf("edge-1", AT), other);
		await expect(verifyHeartbeat(text, "edge-1", publicNodeKey(key))).rejects.toMatchObject(REFUSED);
		await expect(verifyHeartbeat(text, "edge-2", publicNodeKey(other))).rejects.toMatchObject(REFUSED);
	});

	it("is not believed with a single character of it changed, cut short, or too long", async () => {
		const key = await generateNodeKey();
		const text = await signHeartbeat(heartbeatOf("edge-1", AT), key);
		// The last character has four spare bits, which any decoder may ignore.
		for (let at = 0; at < text.length - 1; at += 7) {
			const changed = text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
			await expect(verifyHeartbeat(changed, "edge-1", publicNodeKey(key)), `at ${at}`).rejects.toMatchObject(REFUSED);
		}
		for (let length = 0; length < text.length; length += 5) {
			const cut = text.slice(0, length);
			await expect(verifyHeartbeat(cut, "edge-1", publicNodeKey(key)), `${length}`).rejects.toMatchObject(REFUSED);
		}
		const long = `${text}${"A".repeat(8192)}`;
		await expect(verifyHeartbeat(long, "edge-1", publicNodeKey(key))).rejects.toMatchObject(REFUSED);
	});

	it("is neither a token of the same key, nor anything else that the key signed", async () => {
		const key = await generateNodeKey();
		const signed = async (payload: unknown, typ: string) =>
			new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
				.setProtectedHeader({ alg: "ES256", typ })
				.sign(await importJWK(key, "ES256"));
		const heartbeat = heartbeatOf("edge-1", AT);
		for (const text of [
			await signed(heartbeat, "JWT"),
			await signed({ ...heartbeat, v: 2 }, "sluice-heartbeat+jws"),
			await signed({ ...heartbeat, load: { ...heartbeat.load, cpu: -1 } }, "sluice-heartbeat+jws"),
			await signed(null, "sluice-heartbeat+jws"),
		]) {
			await expect(verifyHeartbeat(text, "edge-1", publicNodeKey(key))).rejects.toMatchObject(REFUSED);
		}
		const right = await signed(heartbeat, "sluice-heartbeat+jws");
		expect(await verifyHeartbeat(right, "edge-1", publicNodeKey(key))).toEqual(heartbeat);
	});
});
