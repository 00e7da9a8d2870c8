import { InputError } from "#shared/problem.ts";
import type { GetOptions } from "#shared/store/object-store.ts";

type Range = NonNullable<GetOptions["range"]>;

/**
 * Says which bytes of an object of `size` bytes a range means, both ends inclusive. Without a range it is all of them,
 * which for an empty object is 0 to -1.
 * @throws InputError `input.range` if there are none
 */
export function resolveRange(range: Range | undefined, size: number): { start: number; end: number } {
	if (range === undefined) return { start: 0, end: size - 1 };
	assertRange(range);
	const start = "suffix" in range ? Math.max(0, size - range.suffix) : range.start;
	const end = "suffix" in range ? size - 1 : Math.min(range.end ?? size - 1, size - 1);
	if (start >= size) throw unsatisfiable(range, size);
	return { start, end };
}

/**
 * The value of an HTTP `Range` header (RFC 9110 §14.2).
 * @throws InputError `input.range`
 */
export function rangeHeader(range: Range): string {
	assertRange(range);
	return "suffix" in range ? `bytes=-${range.suffix}` : `bytes=${range.start}-${range.end ?? ""}`;
}

/** The error of a range that no byte of the object is in. `size` is left out where the store did not say it. */
export function unsatisfiable(range: Range | undefined, size?: number): InputError {
	const asked = range === undefined ? "The range" : `The range ${describe(range)}`;
	return new InputError(
		"input.range",
		`${asked} is outside of the object${size === undefined ? "" : `'s ${size} bytes`}`,
		{
			data: size === undefined ? {} : { size },
		},
	);
}

/**
 * Checks what can be checked without the object.
 * @throws InputError `input.range`
 */
export function assertRange(range: Range): void {
	const numbers = "suffix" in range ? [range.suffix] : [range.start, range.end ?? range.start];
	const isWhole = numbers.every((n) => Number.isSafeInteger(n) && n >= 0);
	if (!isWhole || ("suffix" in range ? range.suffix === 0 : (range.end ?? range.start) < range.start)) {
		throw new InputError("input.range", `The range ${describe(range)} has no bytes`);
	}
}

function describe(range: Range): string {
	return "suffix" in range ? `-${range.suffix}` : `${range.start}-${range.end ?? ""}`;
}
