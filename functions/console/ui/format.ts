/** Numbers for people: with a unit, and no more digits than say something. */

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const BIT_UNITS = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];

/** `1.5 MB`; powers of 1000, as providers bill. */
export function formatBytes(bytes: number): string {
	return scaled(bytes, BYTE_UNITS);
}

/** `2.4 Mbit/s` */
export function formatBits(perSecond: number): string {
	return scaled(perSecond, BIT_UNITS);
}

/** `$0.0042`: small amounts keep two digits that are not zero. `currency` as in ISO 4217. */
export function formatMoney(amount: number, currency: string): string {
	const isSmall = amount !== 0 && Math.abs(amount) < 1;
	const digits = isSmall
		? { minimumSignificantDigits: 2, maximumSignificantDigits: 2 }
		: { minimumFractionDigits: 2, maximumFractionDigits: 2 };
	return new Intl.NumberFormat("en", { style: "currency", currency, ...digits }).format(amount);
}

function scaled(value: number, units: readonly string[]): string {
	const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
	const shown = value / 1000 ** step;
	// 999.95 would be shown as 1000.
	if (step + 1 < units.length && Number(shown.toPrecision(3)) >= 1000) return `1 ${units[step + 1]}`;
	return `${Number(shown.toPrecision(3))} ${units[step]}`;
}
