import type { MediaRouting } from "../../routes/routing.ts";
import { problemFrom, unreachable } from "../api/problem.ts";

/** Where a path is published or watched on its node; `node` is `null` where none is up. */
export type MediaPlace = Pick<MediaRouting, "live" | "urls" | "hls"> & { readonly node: MediaRouting["node"] | null };

const TIMEOUT_MS = 10_000;

/**
 * Asks by a token or stream key for the path: keys of the interface are none.
 * @throws ApiProblem
 */
export async function findMediaPlace(
	action: "ingest" | "read",
	path: string,
	credential: string,
	signal?: AbortSignal,
): Promise<MediaPlace> {
	const timeout = AbortSignal.timeout(TIMEOUT_MS);
	const response = await fetch(`/${action}/${path.split("/").map(encodeURIComponent).join("/")}`, {
		headers: { authorization: `Bearer ${credential}` },
		cache: "no-store",
		signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
	}).catch(() => {
		throw unreachable();
	});
	if (!response.ok) throw await problemFrom(response);
	return (await response.json()) as MediaPlace;
}
