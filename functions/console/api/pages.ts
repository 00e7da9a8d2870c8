import { type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { useApi } from "./hooks.ts";
import { type ApiProblem, asProblem } from "./problem.ts";

export type Pages<T> = {
	/** Of all pages that were asked for; it stays while they are asked for again. */
	readonly items: readonly T[] | undefined;
	readonly problem: ApiProblem | null;
	/** Nothing is known yet. */
	readonly isLoading: boolean;
	readonly hasMore: boolean;
	readonly isLoadingMore: boolean;
	loadMore(): void;
	refresh(): void;
};

/** A list of which the functions tell one page after the other. `address` may have a query of its own. */
export function usePages<T>(address: string, { pollMs }: { pollMs?: number } = {}): Pages<T> {
	const api = useApi();
	const query = useInfiniteQuery({
		queryKey: [address, "pages"],
		queryFn: ({ pageParam, signal }) =>
			api.get<{ items: T[]; next: string | null }>(pageAddress(address, pageParam), signal),
		initialPageParam: null as string | null,
		getNextPageParam: ({ next }) => next,
		refetchInterval: pollMs ?? false,
	});
	return pagesOf(
		query,
		query.data?.pages.flatMap(({ items }) => items),
	);
}

/** Pages that a query asked for, and how it stands. */
export function pagesOf<T, D>(query: UseInfiniteQueryResult<D>, items: readonly T[] | undefined): Pages<T> {
	return {
		items,
		problem: query.error === null ? null : asProblem(query.error),
		isLoading: query.isLoading,
		hasMore: query.hasNextPage,
		isLoadingMore: query.isFetchingNextPage,
		loadMore: () => void query.fetchNextPage(),
		refresh: () => void query.refetch(),
	};
}

function pageAddress(address: string, cursor: string | null): string {
	if (cursor === null) return address;
	return `${address}${address.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
}
