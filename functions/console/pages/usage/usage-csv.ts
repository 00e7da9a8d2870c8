/** A report as comma-separated values, RFC 4180: bare numbers in base units, for a spreadsheet to count with. */

import type { UsageReport } from "../../../routes/usage.ts";
import { rowsOf, SHARED_NAME } from "./usage-rows.ts";

const HEADER = [
	"from",
	"to",
	"path",
	"puts",
	"gets",
	"bytes_in",
	"bytes_stored",
	"bytes_out",
	"seconds_live",
	"viewer_seconds",
	"cost_requests",
	"cost_storage",
	"cost_egress",
	"cost_total",
	"currency",
	"prices",
];

/** One line a path, dearest first. */
export function usageCsv(report: UsageReport): string {
	const { from, to, prices } = report;
	const lines = rowsOf(report).map(({ path, cost, ...usage }) => [
		from,
		to,
		path === SHARED_NAME ? "(shared)" : path,
		usage.puts,
		usage.gets,
		usage.bytesIn,
		usage.bytesStored,
		usage.bytesOut,
		usage.secondsLive,
		usage.viewerSeconds,
		cost.requests,
		cost.storage,
		cost.egress,
		cost.total,
		prices.currency,
		prices.id,
	]);
	return [HEADER, ...lines].map((cells) => `${cells.map(cellOf).join(",")}\r\n`).join("");
}

/** `sluice-usage-2026-03-01-2026-03-31.csv` */
export function csvName({ from, to }: UsageReport): string {
	return `sluice-usage-${from}-${to}.csv`;
}

function cellOf(value: string | number): string {
	if (typeof value === "number") return String(value);
	// Spreadsheets take a text that begins so for a formula.
	const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
