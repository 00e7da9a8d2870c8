import { useInfiniteQuery } from "@tanstack/react-query";
import type { AuditEntry } from "../../../audit/audit-log.ts";
import type { Api } from "../../api/client.ts";
import { useApi } from "../../api/hooks.ts";
import { type Pages, pagesOf } from "../../api/pages.ts";
import { type ListAnswer, type ListRange, type Place, placeAt, readBackwards } from "./backwards.ts";

/** Days in UTC, `YYYY-MM-DD`, both in the range; empty: no bound. */
export type AuditDays = { readonly from: string; readonly to: string };

const DAY_MS = 86_400_000;

/** The log of these days, newest first. */
export function useAudit({ from, to }: AuditDays): Pages<AuditEntry> {
	const api = useApi();
	const floorMs = from === "" ? 0 : Date.parse(from);
	const query = useInfiniteQuery({
		queryKey: ["/v1/audit", from, to],
		queryFn: ({ pageParam, signal }) => {
			const place = pageParam ?? placeAt(to === "" ? Date.now() + 1 : Date.parse(to) + DAY_MS);
			return readBackwards(listBy(api, signal), place, floorMs);
		},
		initialPageParam: null as Place | null,
		getNextPageParam: ({ next }) => next,
	});
	return pagesOf(
		query,
		query.data?.pages.flatMap(({ entries }) => entries),
	);
}

function listBy(api: Api, signal: AbortSignal): ListRange {
	return ({ fromMs, toMs, cursor }) => {
		const range = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
		const query = new URLSearchParams({ ...range, limit: "100", ...(cursor === null ? {} : { cursor }) });
		return api.get<ListAnswer>(`/v1/audit?${query}`, signal);
	};
}
