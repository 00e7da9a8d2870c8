import { describe, expect, it } from "vitest";
import { functionsForTest } from "../test/support/functions.ts";

async function world() {
	const test = await functionsForTest();
	const make = async (body: object) =>
		(await (await test.api("POST", "/v1/tokens", { actions: ["publish", "read"], ...body })).json()) as {
			token: string;
			tokenId: string;
		};
	const ask = async (address: string, token: string) => {
		const response = await test.get(address, { authorization: `Bearer ${token}` });
		const { code } = (await response.json().catch(() => ({}))) as { code?: string };
		return { status: response.status, code };
	};
	const forMediaMtx = async (token: string, path: string) =>
		(
			await test.app.request("http://functions.test/auth", {
				method: "POST",
				headers: { "content-type": "application/json" },
				body: JSON.stringify({ action: "read", path, token, protocol: "rtsp" }),
			})
		).status;
	return { ...test, make, ask, forMediaMtx };
}

describe("a token that a client of media shows", () => {
	it("is refused where it was revoked for one path, and serves on the others", async () => {
		const { make, ask, api, forMediaMtx } = await world();
		const permissions = ["cam1", "cam2"].map((path) => ({ action: "read", path }));
		const { token } = await make({ actions: undefined, permissions, subject: "ana" });
		expect([await forMediaMtx(token, "cam1"), await forMediaMtx(token, "cam2")]).toEqual([200, 200]);
		expect((await api("POST", "/v1/tokens/revoke", { path: "cam1" })).status).toBe(201);
		expect([await forMediaMtx(token, "cam1"), await forMediaMtx(token, "cam2")]).toEqual([401, 200]);
		expect(await ask("/read/cam1", token)).toEqual({ status: 401, code: "access.token_revoked" });
		expect((await ask("/read/cam2", token)).status).not.toBe(401);
	});

	it("goes on publishing to a path for which watching was revoked", async () => {
		const { make, ask, api } = await world();
		const { token } = await make({ path: "cam1" });
		await api("POST", "/v1/tokens/revoke", { path: "cam1" });
		expect((await ask("/read/cam1", token)).status).toBe(401);
		expect((await ask("/ingest/cam1", token)).status).not.toBe(401);
	});

	it("is refused everywhere when it was revoked itself", async () => {
		const { make, api, forMediaMtx } = await world();
		const { token } = await make({ path: "cam1" });
		await api("POST", "/v1/tokens/revoke", { token });
		expect(await forMediaMtx(token, "cam1")).toBe(401);
	});
});
