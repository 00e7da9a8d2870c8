/** Which days are looked at. Days are of UTC, `YYYY-MM-DD`, both in the range. */

export const PERIODS = {
	today: "Today",
	week: "7 days",
	days30: "30 days",
	month: "This month",
	"last-month": "Last month",
} as const;
export type Period = keyof typeof PERIODS;

export type Days = { readonly from: string; readonly to: string };

const DAY_MS = 86_400_000;

export function isPeriod(text: string | null): text is Period {
	return text !== null && Object.hasOwn(PERIODS, text);
}

/** The days of a period that ends at `nowMs`, milliseconds since the Unix epoch. */
export function daysOf(period: Period, nowMs: number): Days {
	const now = new Date(nowMs);
	const month = (offset: number, day: number) => dayAt(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, day));
	const to = dayAt(nowMs);
	switch (period) {
		case "today":
			return { from: to, to };
		case "week":
			return { from: dayAt(nowMs - 6 * DAY_MS), to };
		case "days30":
			return { from: dayAt(nowMs - 29 * DAY_MS), to };
		case "month":
			return { from: month(0, 1), to };
		case "last-month":
			return { from: month(-1, 1), to: month(0, 0) };
	}
}

function dayAt(ms: number): string {
	return new Date(ms).toISOString().slice(0, 10);
}
