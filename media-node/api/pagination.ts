/** The pages of every list of the control API, as MediaMTX counts them. */

import { InputError } from "#shared/problem.ts";

/** What every list answers. `itemCount` is that of all pages. */
export type Page<T> = { readonly itemCount: number; readonly pageCount: number; readonly items: readonly T[] };

const DEFAULT_ITEMS_PER_PAGE = 100;
const MAX_NUMBER = 2 ** 31 - 1;

/**
 * Takes one page out of a list: `?page=` from 0, and `?itemsPerPage=`. A page behind the last one is empty.
 * @throws InputError `input.invalid`
 */
export function paginate<T>(items: readonly T[], query: URLSearchParams): Page<T> {
	const itemsPerPage = numberOf(query, "itemsPerPage", 1) ?? DEFAULT_ITEMS_PER_PAGE;
	const page = numberOf(query, "page", 0) ?? 0;
	return {
		itemCount: items.length,
		pageCount: Math.ceil(items.length / itemsPerPage),
		items: items.slice(page * itemsPerPage, (page + 1) * itemsPerPage),
	};
}

/** `null`: not given, or empty. */
function numberOf(query: URLSearchParams, key: string, min: number): number | null {
	const text = query.get(key) ?? "";
	if (text === "") return null;
	const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
	if (number >= min && number <= MAX_NUMBER) return number;
	throw new InputError("input.invalid", `${key} must be a whole number of ${min} or more`, { data: { key } });
}
