import { describe, expect, it } from "vitest";
import { generateNodeKey, publicNodeKey } from "#shared/nodes/node-key.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { functionsForTest } from "../../test/support/functions.ts";
import { type JoinRequest, requestJoin } from "./join-request.ts";

async function request(changes: Partial<JoinRequest> = {}): Promise<JoinRequest> {
	return {
		control: "http://functions.test",
		token: "token",
		id: "edge-1",
		key: publicNodeKey(await generateNodeKey()),
		replace: false,
		fetch: () => Promise.reject(new TypeError("fetch failed")),
		clock: new FakeClock(),
		...changes,
	};
}

const answering = (status: number, body: unknown) => async () =>
	new Response(typeof body === "string" ? body : JSON.stringify(body), { status });

describe("joining a control plane", () => {
	it("gives what a node needs, each time the same", async () => {
		const { app, tokenFor } = await functionsForTest();
		const fetch = async (url: string, init: RequestInit) => app.request(url, init);
		const asked = await request({ fetch, token: await tokenFor("api") });
		const answer = await requestJoin(asked);
		expect(answer).toMatchObject({ id: "edge-1", bucket: null, credentials: null });
		expect(answer.jwksUrl).toBe("http://functions.test/.well-known/jwks.json");
		expect(await requestJoin(asked)).toEqual(answer);
		const other = { ...asked, key: publicNodeKey(await generateNodeKey()) };
		await expect(requestJoin(other)).rejects.toMatchObject({ code: "node.conflict" });
		expect(await requestJoin({ ...other, replace: true })).toEqual(answer);
		await expect(requestJoin({ ...asked, token: await tokenFor("read") })).rejects.toMatchObject({
			code: "access.forbidden",
		});
	});

	it.each([
		[answering(401, { detail: "The token has expired" }), "access.forbidden", "The token has expired"],
		[answering(503, "<html>"), "store.unavailable", "503"],
		[answering(200, "<html>"), "input.invalid", "no Sluice"],
		[answering(200, { id: "another" }), "input.invalid", "no Sluice"],
		[answering(302, ""), "input.invalid", "302"],
		[answering(200, "x".repeat(70_000)), "input.too_large", "65536"],
		[() => Promise.reject(new TypeError("fetch failed")), "store.unavailable", "does not answer"],
	])("says what is wrong (%#)", async (fetch, code, words) => {
		await expect(requestJoin(await request({ fetch }))).rejects.toMatchObject({
			code,
			message: expect.stringContaining(words),
		});
	});

	it("gives up on a control plane that does not answer", async () => {
		const clock = new FakeClock();
		const fetch = (_: string, { signal }: RequestInit) =>
			new Promise<Response>((_resolve, reject) =>
				signal?.addEventListener("abort", () => reject(new Error("aborted"))),
			);
		const refused = expect(requestJoin(await request({ clock, fetch }))).rejects.toMatchObject({
			code: "store.unavailable",
		});
		await clock.advance(15_000);
		await refused;
	});
});
