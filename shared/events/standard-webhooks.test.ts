import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { generateWebhookSecret, isSignedWebhook, signWebhook } from "./standard-webhooks.ts";

const body = JSON.stringify({ type: "stream.online", data: { path: "ä" } });

describe("signatures of webhooks", () => {
	it("agree with the reference library, both ways", async () => {
		const secret = generateWebhookSecret();
		const now = Date.now();
		const headers = await signWebhook("evt_1", now, body, [secret]);
		expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
		const theirs = new Webhook(secret).sign("evt_1", new Date(now), body);
		expect(headers["webhook-signature"]).toBe(theirs);
		expect(await isSignedWebhook({ ...headers, "webhook-signature": theirs }, body, [secret], now)).toBe(true);
	});

	it("agree with the example of the specification", async () => {
		const headers = await signWebhook("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000, '{"test": 2432232314}', [
			"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		]);
		expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	});

	it("are made with every secret, so that a receiver may know the old or the new one", async () => {
		const [old, fresh] = [generateWebhookSecret(), generateWebhookSecret()];
		const headers = await signWebhook("evt_1", Date.now(), body, [fresh, old]);
		for (const secret of [old, fresh]) expect(new Webhook(secret).verify(body, headers)).toBeDefined();
		expect(await isSignedWebhook(headers, body, [generateWebhookSecret()], Date.now())).toBe(false);
	});

	it("are void for another body, id or time, and when they are old", async () => {
		const secret = generateWebhookSecret();
		const now = Date.now();
		const headers = await signWebhook("evt_1", now, body, [secret]);
		const check = (changed: Partial<typeof headers>, text = body, atMs = now) =>
			isSignedWebhook({ ...headers, ...changed }, text, [secret], atMs);
		expect(await check({})).toBe(true);
		expect(await check({}, `${body} `)).toBe(false);
		expect(await check({ "webhook-id": "evt_2" })).toBe(false);
		expect(await check({ "webhook-timestamp": String(Math.floor(now / 1000) + 1) })).toBe(false);
		expect(await check({ "webhook-timestamp": "soon" })).toBe(false);
		expect(await check({ "webhook-signature": "v1,AAAA v1a,x" })).toBe(false);
		expect(await check({}, body, now + 301_000)).toBe(false);
	});

	it("refuse a secret that is too short or too long", async () => {
		for (const bytes of [23, 65])
			await expect(signWebhook("evt_1", 0, body, [`whsec_${Buffer.alloc(bytes).toString("base64")}`])).rejects.toThrow(
				RangeError,
			);
	});
});
