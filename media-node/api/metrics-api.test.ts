import { Counter, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { settingsSchema } from "#shared/config/settings.ts";
import { DeniedError } from "#shared/problem.ts";
import { quiet } from "../../test/support/control-api.ts";
import type { AccessRequest } from "../access/access.ts";
import { httpServerSettings } from "../http/http-server.ts";
import { openMetrics } from "./metrics-api.ts";

async function open(authorize?: () => Promise<never>) {
	const registry = new Registry();
	new Counter({ name: "things_total", help: "Things", registers: [registry] }).inc(3);
	const asked: AccessRequest[] = [];
	const settings = settingsSchema.parse({ metricsAddress: "127.0.0.1:0", metricsAllowOrigins: ["https://a.example"] });
	const server = await openMetrics({
		server: httpServerSettings(settings, "metrics"),
		registry,
		authorize:
			authorize ??
			(async (request) => {
				asked.push(request);
				return { subject: "", expiresMs: null };
			}),
		clock: systemClock,
		log: quiet,
	});
	return {
		asked,
		get: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init),
		server,
	};
}

describe("the metrics", () => {
	it("are shown to those who may read them", async () => {
		const { server, get, asked } = await open();
		await using _server = server;
		const response = await get("/metrics?x=y", { headers: { authorization: "Bearer t", origin: "https://a.example" } });
		expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
		expect(response.headers.get("access-control-allow-origin")).toBe("https://a.example");
		const text = await response.text();
		expect(text).toMatch(/^things_total 3$/m);
		expect(text).toMatch(/^process_cpu_user_seconds_total /m);
		expect(asked).toMatchObject([{ action: "metrics", token: "t", query: "x=y", ip: "127.0.0.1" }]);
	});

	it("are hidden from others, who may still ask for the health", async () => {
		const { server, get } = await open(() => Promise.reject(new DeniedError("access.token_missing", "no")));
		await using _server = server;
		const response = await get("/metrics");
		expect([response.status, await response.json()]).toEqual([401, { status: "error", error: "authentication error" }]);
		const health = await get("/healthz");
		expect([health.status, await health.text()]).toEqual([200, "ok\n"]);
	});

	it("are all that there is", async () => {
		const { server, get } = await open();
		await using _server = server;
		expect((await get("/metrics/x")).status).toBe(404);
		expect((await get("/metrics", { method: "POST" })).status).toBe(405);
		const head = await get("/metrics", { method: "HEAD" });
		expect([head.status, await head.text()]).toEqual([200, ""]);
	});
});
