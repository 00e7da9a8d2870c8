import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { attemptDelivery, printable } from "./attempt.ts";
import { MAX_ANSWER_CHARS } from "./delivery.ts";
import type { Endpoint } from "./endpoint.ts";
import type { WebhookAnswer } from "./transport.ts";

const ENDPOINT: Endpoint = {
	id: "wh_00000000",
	url: "https://hooks.example/",
	description: "",
	events: [],
	paths: [],
	secrets: [{ secret: `whsec_${Buffer.alloc(32, 1).toString("base64")}`, expiresMs: null }],
	disabled: null,
	createdMs: 0,
};
const EVENT = { id: "evt_00000000", type: "stream.online", timestamp: "2026-01-01T00:00:00Z", data: {} };

async function attempt(answer: () => Promise<WebhookAnswer>, url = ENDPOINT.url) {
	const clock = new FakeClock();
	const send = async () => {
		await clock.advance(1234);
		return answer();
	};
	const settings = { webhookAllowInsecure: false };
	return attemptDelivery({ clock, webhooks: { send }, settings }, { ...ENDPOINT, url }, EVENT);
}

const failing = (message: string, more: object) => () => Promise.reject(Object.assign(new Error(message), more));

describe("an attempt", () => {
	it("keeps when it was, how long it took, and the beginning of the answer", async () => {
		const beginning = new TextEncoder().encode("no disk\n");
		const { attempt: made, status } = await attempt(() => Promise.resolve({ status: 503, retryAfterS: 7, beginning }));
		expect(status).toBe(503);
		expect(made).toEqual({ atMs: Date.UTC(2026, 0, 1), durationMs: 1234, outcome: "503", answer: "no disk" });
	});

	it.each([
		["timeout", failing("no answer", { name: "TimeoutError" })],
		["refused", failing("connect ECONNREFUSED", { code: "ECONNREFUSED" })],
		["reset", failing("socket hang up", { code: "ECONNRESET" })],
		["dns", failing("getaddrinfo", { code: "ENOTFOUND" })],
		["reset", failing("fetch failed", { cause: Object.assign(new Error(""), { code: "ECONNRESET" }) })],
		["failed", failing("certificate has expired", { code: "CERT_HAS_EXPIRED" })],
		["failed", () => Promise.reject("a string")],
		["failed", () => Promise.resolve({ status: 0, retryAfterS: null })],
	])("without an answer is told as %s", async (outcome, answer) => {
		expect((await attempt(answer)).attempt.outcome).toBe(outcome);
	});

	it("does not go to an address that is not allowed any more", async () => {
		const never = () => Promise.reject(new Error("It was sent"));
		expect((await attempt(never, "https://169.254.169.254/")).attempt).toMatchObject({
			outcome: "address",
			answer: expect.stringMatching(/^The webhook's URL leads to a private or local address;/) as string,
		});
	});
});

describe("what an endpoint answered", () => {
	it.each([
		["<h1>Bad\r\n\tgateway</h1>", "<h1>Bad gateway</h1>"],
		["\u001b[31mred\u001b[0m", "[31mred [0m"],
		["a\u0000b\u2028c\u202ed", "a b c d"],
		["caf\u00e9 \u{1f600}", "caf\u00e9 \u{1f600}"],
		["", ""],
	])("%j is shown as %j", (text, shown) => {
		expect(printable(new TextEncoder().encode(text))).toBe(shown);
	});

	it("is cut, and is text whatever it was", () => {
		expect(printable(new TextEncoder().encode("\u{1f600}".repeat(2000))).length).toBe(MAX_ANSWER_CHARS);
		const bytes = Uint8Array.from({ length: 2048 }, (_, i) => (i * 151) & 0xff);
		const text = printable(bytes);
		expect(text.isWellFormed()).toBe(true);
		expect(text).not.toMatch(/\p{Cc}/u);
	});
});
