import { describe, expect, it } from "vitest";
import { usageDayKey, usageHourKey } from "#shared/store/key.ts";
import { functionsForTest } from "../../test/support/functions.ts";

const DAY_MS = 86_400_000;

type Usage = { puts: number; bytesStored: number; bytesOut: number; cost: { total: number; storage: number } };
type Report = {
	from: string;
	to: string;
	prices: { provider: string; source: string };
	total: Usage;
	items: ({ path: string } & Usage)[];
	shared: Usage | null;
	days: ({ date: string } & Usage)[];
};

async function world() {
	const test = await functionsForTest();
	const { clock, store } = test;
	const counts = { list: 0, get: 0, put: 0 };
	for (const [name, as] of [
		["list", "list"],
		["get", "get"],
		["putIfAbsent", "put"],
	] as const) {
		const call = store[name].bind(store) as (...given: unknown[]) => Promise<never>;
		store[name] = (...given: unknown[]) => {
			counts[as]++;
			return call(...given);
		};
	}
	const write = (day: string, hour: number, writer: string, paths: Record<string, object>) =>
		store.put(usageHourKey(day, hour, writer), JSON.stringify({ v: 1, writer, day, hour, paths }));
	const read = async (query = "", token?: string): Promise<Report> => {
		const response = await test.api(
			"GET",
			`/v1/usage${query}`,
			undefined,
			token ? { authorization: `Bearer ${token}` } : {},
		);
		expect(response.status).toBe(200);
		return (await response.json()) as Report;
	};
	return { ...test, clock, counts, write, read };
}

describe("usage", () => {
	it("is that of all writers, by path and by day, the dearest path first", async () => {
		const { clock, write, read } = await world();
		await write("2026-01-01", 0, "node", { "cam/1": { puts: 10, bytesToReaders: 5 }, "": { puts: 3 } });
		await write("2026-01-01", 0, "edge", { "cam/1": { bytesServed: 7, segments: 2 } });
		await clock.advance(DAY_MS);
		await write("2026-01-02", 0, "node", { "cam/2": { puts: 100, bytesIn: 4, stored: { bytes: 50, atMs: 1 } } });
		const report = await read("?from=2026-01-01&to=2026-01-02");
		expect(report.items).toMatchObject([
			{ path: "cam/2", puts: 100, bytesStored: 50 },
			{ path: "cam/1", puts: 10, bytesOut: 12 },
		]);
		expect(report.shared).toMatchObject({ puts: 3 });
		expect(report.total).toMatchObject({ puts: 113, bytesStored: 50, bytesOut: 12 });
		expect(report.days).toMatchObject([
			{ date: "2026-01-01", puts: 13 },
			{ date: "2026-01-02", puts: 100 },
		]);
	});

	it("is told by dated prices, those of the cloud that is set", async () => {
		const { deps, write, read } = await world();
		await write("2026-01-01", 0, "node", { "cam/1": { puts: 1_000_000 } });
		expect((await read()).total.cost.total).toBe(0);
		(deps.settings as { prices: string }).prices = "aws";
		const report = await read();
		expect(report.total.cost.total).toBe(5);
		expect(report.prices).toMatchObject({ provider: "aws", source: "https://aws.amazon.com/s3/pricing/" });
	});

	it("of a day that is over is one read, after the first one that summed it up", async () => {
		const { clock, counts, store, write, read, deps } = await world();
		for (let hour = 0; hour < 24; hour++) await write("2026-01-01", hour, "node", { "cam/1": { puts: 1 } });
		await clock.advance(DAY_MS + 600_000);
		await read("?from=2026-01-01&to=2026-01-01");
		// Ten past midnight: a writer may still have something to say.
		expect(await store.head(usageDayKey("2026-01-01"))).toBeNull();
		await write("2026-01-01", 23, "late", { "cam/1": { puts: 100 } });
		await clock.advance(600_000);
		expect((await read("?from=2026-01-01&to=2026-01-01")).total.puts).toBe(124);
		expect(await store.head(usageDayKey("2026-01-01"))).not.toBeNull();
		await write("2026-01-01", 22, "too late", { "cam/1": { puts: 1_000 } });
		const { UsageDays } = await import("../usage/usage-days.ts");
		const before = { ...counts };
		const [day] = await new UsageDays(deps).read("2026-01-01", "2026-01-01");
		expect(day?.paths["cam/1"]?.puts).toBe(124);
		expect(counts).toEqual({ ...before, get: before.get + 1 });
	});

	it("has what is stored cost from day to day, though nothing is written of it any more", async () => {
		const { clock, deps, write, read } = await world();
		(deps.settings as { prices: string }).prices = "cloudflare";
		await write("2026-01-01", 23, "node", { "cam/1": { stored: { bytes: 1e12, atMs: 1 } } });
		await clock.advance(3 * DAY_MS);
		const report = await read("?from=2026-01-01&to=2026-01-03");
		expect(report.total.bytesStored).toBe(1e12);
		// A terabyte for a day at 0.015 a gigabyte and month of 730 hours.
		expect(report.days[1]?.cost.storage).toBeCloseTo((1000 * 0.015 * 24) / 730, 6);
		expect(report.days[2]?.cost.storage).toBeCloseTo((1000 * 0.015 * 24) / 730, 6);
	});

	it("goes on from what was stored when nobody summed days up for a while", async () => {
		const { clock, deps, write, store, counts } = await world();
		await write("2026-01-01", 23, "node", { "cam/1": { stored: { bytes: 1e9, atMs: 1 } } });
		// Nobody was there on the second and the third.
		await clock.advance(3 * DAY_MS + 1_000_000);
		const { UsageDays } = await import("../usage/usage-days.ts");
		const days = new UsageDays(deps);
		await days.foldYesterday();
		const folded = await (await store.get(usageDayKey("2026-01-03")))?.text();
		expect(JSON.parse(folded ?? "null").paths).toMatchObject({ "cam/1": { stored: 1e9, byteHours: 24e9 } });
		const before = { ...counts };
		await days.foldYesterday();
		expect(counts).toEqual(before);
	});

	it("is summed up once by an instance when the sum in the bucket is damaged", async () => {
		const { clock, write, store, read, counts, logs } = await world();
		await write("2026-01-01", 23, "node", { "cam/1": { puts: 7 } });
		await store.put(usageDayKey("2026-01-01"), "{");
		await clock.advance(2 * DAY_MS);
		const query = "?from=2026-01-01&to=2026-01-01";
		expect((await read(query)).total.puts).toBe(7);
		expect(logs.join()).toContain(usageDayKey("2026-01-01"));
		const before = { ...counts };
		expect((await read(query)).total.puts).toBe(7);
		expect(counts).toEqual(before);
	});

	it("says which part of a question is wrong, and what would be right", async () => {
		const { api } = await world();
		const issues = async (query: string) =>
			((await (await api("GET", `/v1/usage?${query}`)).json()) as { issues: unknown }).issues;
		expect(await issues("from=2020-01-01&to=2026-11-30")).toEqual([{ path: "query.from", message: "1 to 92 days" }]);
		const message = "must be a day such as 2026-01-31";
		expect(await issues("from=foo")).toEqual([{ path: "query.from", message }]);
	});

	it("is not looked for on days of which there is nothing", async () => {
		const { clock, counts, write, read } = await world();
		await clock.advance(91 * DAY_MS);
		await write("2026-04-02", 0, "node", { "cam/1": { puts: 1 } });
		const report = await read("?from=2026-01-01&to=2026-04-02");
		expect(report.days).toHaveLength(92);
		expect(report.total.puts).toBe(1);
		expect(counts.put).toBe(0);
		expect(counts.list).toBeLessThanOrEqual(4);
		expect(counts.get).toBeLessThanOrEqual(4);
	});

	it("is told of the paths of who asks alone", async () => {
		const { app, write, read, tokenFor } = await world();
		await write("2026-01-01", 0, "node", { "cam/1": { puts: 1 }, "cam/2": { puts: 2 }, "": { puts: 4 } });
		const report = await read("", await tokenFor("manage", "cam/2"));
		expect(report.items.map(({ path }) => path)).toEqual(["cam/2"]);
		expect(report.shared).toBeNull();
		expect(report.total.puts).toBe(2);
		expect(report.days.at(-1)?.puts).toBe(2);
		const get = async (path: string, token: string) =>
			app.request(`http://functions.test${path}`, { headers: { authorization: `Bearer ${token}` } });
		const own = await get("/v1/usage/cam/2", await tokenFor("manage", "cam/2"));
		expect(((await own.json()) as Report).total.puts).toBe(2);
		expect((await get("/v1/usage/cam/1", await tokenFor("manage", "cam/2"))).status).toBe(403);
	});

	it.each(["?from=2026-01-02&to=2026-01-01", "?from=2025-10-01&to=2026-01-01", "?from=yesterday"])(
		"cannot be asked for with %s",
		async (query) => {
			const { api } = await world();
			expect((await api("GET", `/v1/usage${query}`)).status).toBe(400);
		},
	);

	it("leaves out objects that are damaged, and says so in the log", async () => {
		const { store, logs, write, read } = await world();
		await write("2026-01-01", 0, "node", { "cam/1": { puts: 1 } });
		await store.put(usageHourKey("2026-01-01", 0, "broken"), "{");
		await store.put(usageHourKey("2026-01-01", 0, "odd"), '{"v":9}');
		expect((await read()).total.puts).toBe(1);
		expect(logs.filter((line) => line.includes("damaged"))).toHaveLength(2);
	});
});
