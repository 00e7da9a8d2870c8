/** Usage as a table has it. */

import type { UsageReport } from "../../../routes/usage.ts";

export type UsageRow = UsageReport["items"][number];
/** What is of no path is a row as well, with this name, which no path can have. */
export const SHARED_NAME = "";

export type Column = {
	readonly name: string;
	readonly label: string;
	readonly value: (row: UsageRow) => number;
	/** How the value is told. */
	readonly kind: "count" | "bytes" | "hours" | "money";
};

const HOUR_S = 3_600;

export const COLUMNS: readonly Column[] = [
	{ name: "puts", label: "Writes", kind: "count", value: ({ puts }) => puts },
	{ name: "gets", label: "Reads", kind: "count", value: ({ gets }) => gets },
	{ name: "bytesIn", label: "In", kind: "bytes", value: ({ bytesIn }) => bytesIn },
	{ name: "bytesStored", label: "Stored", kind: "bytes", value: ({ bytesStored }) => bytesStored },
	{ name: "bytesOut", label: "Out", kind: "bytes", value: ({ bytesOut }) => bytesOut },
	{ name: "hoursLive", label: "Live", kind: "hours", value: ({ secondsLive }) => secondsLive / HOUR_S },
	{ name: "viewerHours", label: "Watched", kind: "hours", value: ({ viewerSeconds }) => viewerSeconds / HOUR_S },
	{ name: "cost", label: "Cost", kind: "money", value: ({ cost }) => cost.total },
];

export type Sort = { readonly column: string; readonly isDescending: boolean };

/** By the column with that name, or by path. What is shared comes last however it is sorted. */
export function sortRows(rows: readonly UsageRow[], { column, isDescending }: Sort): readonly UsageRow[] {
	const value = COLUMNS.find(({ name }) => name === column)?.value;
	const direction = isDescending ? -1 : 1;
	return rows.toSorted((a, b) => {
		if (a.path === SHARED_NAME || b.path === SHARED_NAME) return a.path === SHARED_NAME ? 1 : -1;
		const byValue = value === undefined ? 0 : (value(a) - value(b)) * direction;
		return byValue || a.path.localeCompare(b.path) * (value === undefined ? direction : 1);
	});
}

/** The rows of a report: its paths, and what is shared when that is told and is not nothing. */
export function rowsOf({ items, shared }: UsageReport): readonly UsageRow[] {
	const isUsed = shared !== null && (shared.puts > 0 || shared.gets > 0 || shared.bytesStored > 0);
	return isUsed ? [...items, { path: SHARED_NAME, ...shared }] : items;
}

/** Hours with as many digits as say something: `15 min`, `12.5 h`, `1,204 h`. */
export function formatHours(hours: number): string {
	const minutes = Math.round(hours * 60);
	if (minutes < 60) return hours > 0 && minutes === 0 ? "< 1 min" : `${minutes} min`;
	const digits = hours < 100 ? 1 : 0;
	return `${new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(hours)} h`;
}

/** `1,234`, and from a million on `1.23 M`. */
export function formatCount(count: number): string {
	if (count < 1e6) return new Intl.NumberFormat("en", { maximumFractionDigits: 0 }).format(count);
	return `${Number((count / 1e6).toPrecision(3))} M`;
}
