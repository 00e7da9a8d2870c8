/** What benches print. */

/** Lines in columns, the first line as their heads; all columns but the first one are right-aligned. */
export function printTable(rows: readonly (readonly string[])[]): void {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
	for (const row of rows) {
		const cells = row.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)));
		console.log(`  ${cells.join("  ")}`);
	}
}

/** The value below which a share from 0 up to 1 of the values lies; NaN of none. */
export function quantile(values: readonly number[] | Float64Array, share: number): number {
	const sorted = Float64Array.from(values).sort();
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
	return quantile(values, 0.5);
}

/** A figure beside its goal. */
export function verdict(figure: number, goal: "at most" | "at least", limit: number): string {
	const isMet = goal === "at most" ? figure <= limit : figure >= limit;
	return `${goal} ${limit}${isMet ? "" : " (missed)"}`;
}
