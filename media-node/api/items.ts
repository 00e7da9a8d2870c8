/** Lists of things with an ID, and single ones of them, as the control API answers them. */

import { GoneError, InputError } from "#shared/problem.ts";
import { paginate } from "./pagination.ts";

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** One page of things, each as `show` makes it. */
export function listed<T>(all: readonly T[], query: URLSearchParams, show: (one: T) => unknown) {
	const page = paginate(all, query);
	return { ...page, items: page.items.map(show) };
}

/** @throws InputError `input.invalid` for what is no ID, GoneError `http.not_found`. `what`: how it is called. */
export function found<T extends { readonly id: string }>(all: readonly T[], id: string, what: string): T {
	if (!UUID.test(id)) throw new InputError("input.invalid", "the ID is not a UUID");
	const one = all.find((other) => other.id === id.toLowerCase());
	if (one === undefined) throw notFound(what);
	return one;
}

export function notFound(what: string): GoneError {
	return new GoneError("http.not_found", `${what} not found`);
}

/** The oldest first. */
export function byAge<T extends { readonly id: string; readonly createdMs: number }>(all: readonly T[]): T[] {
	return [...all].sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1));
}
