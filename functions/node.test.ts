import { describe, expect, it } from "vitest";
import { generateSigningKey } from "#shared/access/signing-key.ts";
import { issueToken } from "#shared/access/token.ts";
import { deliveriesPrefix, OUTBOX_PREFIX, USAGE_PREFIX } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { eventually } from "../test/support/eventually.ts";
import { FakeClock, settle } from "../test/support/fake-clock.ts";
import { FunctionsServer } from "./node.ts";
import { settingsSchema } from "./settings.ts";

async function world(isBilled: boolean) {
	const clock = new FakeClock();
	const store = new MemoryStore({ clock });
	const errors: Record<string, unknown>[] = [];
	let looks = 0;
	const list = store.list.bind(store);
	store.list = (prefix, options) => {
		if (prefix === OUTBOX_PREFIX) looks++;
		return list(prefix, options);
	};
	const key = await generateSigningKey();
	const server = await FunctionsServer.open({
		settings: settingsSchema.parse({
			signingKeys: [key],
			streamKeySecrets: [Buffer.alloc(32, 7).toString("base64url")],
			webhookAllowInsecure: true,
		}),
		store,
		presign: null,
		isBilled,
		address: { host: "127.0.0.1", port: 0 },
		clock,
		log: { info: () => undefined, error: (fields, message) => void errors.push({ message, ...fields }) },
	});
	// Once, when it opens; the hourly sweep takes a look of its own.
	await eventually("it has looked", () => looks >= 1 && clock.pending > 0);
	const grant = {
		permissions: [{ action: "api" as const, path: "" }],
		subject: "test",
		expiresMs: clock.now() + 3_600_000,
	};
	const token = await issueToken([key], grant, clock);
	const post = async (path: string, body?: unknown) =>
		fetch(`http://127.0.0.1:${server.port}${path}`, {
			method: "POST",
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
	const pass = async (seconds: number) => {
		await settle();
		for (let i = 0; i < seconds; i++) {
			await clock.advance(1000);
			await settle();
		}
	};
	return { clock, store, server, post, pass, errors, looks: () => looks };
}

describe("the functions in a process of their own", () => {
	it.each([
		[true, 10],
		[false, 120],
	])("look for events of others seldom where that is billed (%s)", async (isBilled, most) => {
		const { server, pass, looks } = await world(isBilled);
		await pass(20);
		const before = looks();
		await pass(600);
		expect(looks() - before).toBeGreaterThanOrEqual(most / 2);
		expect(looks() - before).toBeLessThanOrEqual(most);
		await server[Symbol.asyncDispose]();
	});

	it("says once why webhooks are not delivered, and again when that happens anew", async () => {
		const { server, store, pass, errors } = await world(false);
		const told = () => errors.filter(({ message }) => String(message).startsWith("Webhooks could not"));
		for (const times of [1, 2]) {
			store.away = true;
			await pass(30);
			expect(told()).toHaveLength(times);
			store.away = false;
			await pass(30);
		}
		expect(told()[0]).toMatchObject({ code: "store.unavailable", reason: "The bucket is away" });
		await server[Symbol.asyncDispose]();
	});

	it("tells what it costs to look, though nobody watches, by one object an hour", async () => {
		const { server, clock, store } = await world(true);
		for (let i = 0; i < 370; i++) {
			await clock.advance(10_000);
			await settle();
		}
		const { objects } = await store.list(USAGE_PREFIX);
		expect(objects).toHaveLength(1);
		const document = JSON.parse((await (await store.get(objects[0]?.key ?? ""))?.text()) ?? "");
		expect(document.paths[""].puts).toBeGreaterThanOrEqual(2 * 59);
		await server[Symbol.asyncDispose]();
	});

	it("looks at once when this process has something to deliver", async () => {
		const { server, pass, looks, post, store } = await world(true);
		await pass(20);
		const before = looks();
		server.poke();
		await eventually("it looks", () => looks() > before);
		const made = await post("/v1/webhooks", { url: "http://127.0.0.1:1/" });
		const { id } = (await made.json()) as { id: string };
		expect((await post(`/v1/webhooks/${id}/test`)).status).toBe(202);
		// Nobody listens there: it is attempted, and waits for its second attempt.
		await eventually("it is attempted", async () => {
			const { objects } = await store.list(deliveriesPrefix("pending"));
			await pass(0);
			return objects.some(({ key }) => key.includes("~1~refused~"));
		});
		await server[Symbol.asyncDispose]();
	});
});
