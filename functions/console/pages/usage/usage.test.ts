import { describe, expect, it } from "vitest";
import type { UsageReport } from "../../../routes/usage.ts";
import { daysOf, isPeriod } from "./period.ts";
import { csvName, usageCsv } from "./usage-csv.ts";
import { formatCount, formatHours, rowsOf, SHARED_NAME, sortRows, type UsageRow } from "./usage-rows.ts";

function row(path: string, total: number, puts = 10): UsageRow {
	return {
		path,
		puts,
		gets: 20,
		bytesIn: 3_000,
		bytesStored: 4_000,
		bytesOut: 5_000,
		secondsLive: 60,
		viewerSeconds: 7_200,
		cost: { requests: 0.1, storage: 0.2, egress: total - 0.3, total },
	};
}

function report(items: UsageRow[], shared: UsageReport["shared"] = null): UsageReport {
	const { path: _, ...total } = row("", 1);
	const prices: UsageReport["prices"] = {
		id: "aws-2026-11",
		provider: "aws",
		date: "2026-11-21",
		currency: "USD",
		about: "",
		source: "https://example.com",
		sources: [],
		putsPerMillion: 5,
		getsPerMillion: 0.4,
		servedPerMillion: 1,
		storagePerGbMonth: 0.023,
		servedPerGb: 0.085,
		nodeOutPerGb: 0.09,
		bytesPerGb: 1e9,
		hoursPerMonth: 730,
	};
	return { from: "2026-03-01", to: "2026-03-31", prices, total, items, shared, days: [] };
}

const NOW = Date.parse("2026-03-31T23:59:00Z");

describe("daysOf", () => {
	it.each([
		["today", "2026-03-31", "2026-03-31"],
		["week", "2026-03-25", "2026-03-31"],
		["days30", "2026-03-02", "2026-03-31"],
		["month", "2026-03-01", "2026-03-31"],
		["last-month", "2026-02-01", "2026-02-28"],
	] as const)("has the days of %s in UTC", (period, from, to) => {
		expect(daysOf(period, NOW)).toEqual({ from, to });
	});

	it("crosses the year", () => {
		expect(daysOf("last-month", Date.parse("2027-01-05T00:00:00Z"))).toEqual({ from: "2026-12-01", to: "2026-12-31" });
	});
});

describe("isPeriod", () => {
	it("knows its own", () => {
		expect([isPeriod("week"), isPeriod("toString"), isPeriod(null)]).toEqual([true, false, false]);
	});
});

describe("sortRows", () => {
	const rows = [row("b", 1, 5), row(SHARED_NAME, 9, 99), row("a", 1, 7), row("c", 3, 6)];
	const sorted = (column: string, isDescending: boolean) =>
		sortRows(rows, { column, isDescending }).map(({ path }) => path);

	it("sorts by a column, equals by path, with what is shared at the end", () => {
		expect(sorted("cost", true)).toEqual(["c", "a", "b", ""]);
		expect(sorted("cost", false)).toEqual(["a", "b", "c", ""]);
		expect(sorted("puts", true)).toEqual(["a", "c", "b", ""]);
	});

	it("sorts by path", () => {
		expect(sorted("path", false)).toEqual(["a", "b", "c", ""]);
		expect(sorted("path", true)).toEqual(["c", "b", "a", ""]);
	});
});

describe("rowsOf", () => {
	const { path: _, ...used } = row("", 1);

	it("has what is shared as a row when it is told, and is something", () => {
		expect(rowsOf(report([row("a", 1)], used)).map(({ path }) => path)).toEqual(["a", SHARED_NAME]);
		expect(rowsOf(report([row("a", 1)])).map(({ path }) => path)).toEqual(["a"]);
		expect(rowsOf(report([], { ...used, puts: 0, gets: 0, bytesStored: 0 }))).toEqual([]);
	});
});

describe("usageCsv", () => {
	it("has a line for each path with bare numbers", () => {
		expect(usageCsv(report([row("site/cam01", 1)]))).toBe(
			"from,to,path,puts,gets,bytes_in,bytes_stored,bytes_out,seconds_live,viewer_seconds,cost_requests,cost_storage,cost_egress,cost_total,currency,prices\r\n" +
				"2026-03-01,2026-03-31,site/cam01,10,20,3000,4000,5000,60,7200,0.1,0.2,0.7,1,USD,aws-2026-11\r\n",
		);
	});

	it("quotes what has a meaning in the format, and lets no path be a formula", () => {
		const text = usageCsv(report([row('a,"b"', 1), row("=SUM(A1)", 1), row("-cam", 1)]));
		expect(text).toContain(',"a,""b""",');
		expect(text).toContain(",'=SUM(A1),");
		expect(text).toContain(",'-cam,");
	});

	it("names the days in the name of the file", () => {
		expect(csvName(report([]))).toBe("sluice-usage-2026-03-01-2026-03-31.csv");
	});
});

describe("formatHours and formatCount", () => {
	it.each([
		[0, "0 min"],
		[0.001, "< 1 min"],
		[0.25, "15 min"],
		[0.999, "1 h"],
		[12.34, "12.3 h"],
		[1204.4, "1,204 h"],
	])("says %d hours as %s", (hours, text) => {
		expect(formatHours(hours)).toBe(text);
	});

	it.each([
		[0, "0"],
		[12_345, "12,345"],
		[1_234_567, "1.23 M"],
	])("says %d as %s", (count, text) => {
		expect(formatCount(count)).toBe(text);
	});
});
