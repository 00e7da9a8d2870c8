/**
 * What all viewers share, cached at the edge: the token in the address is verified, and then taken out of it, so that a
 * thousand viewers of a segment make one bucket read. Playlists are kept as long as they say, segments for good.
 */

import { edgeProof } from "#shared/access/edge-token.ts";
import type { Deps } from "./deps.ts";
import { publicInstance } from "./public-instance.ts";
import { addressOf, EDGE_HEADER, EDGE_SEGMENT, isPlaybackFile } from "./routes/playback.ts";

/** What is used of the Cache API of Workers. */
export interface EdgeCache {
	match(request: Request): Promise<Response | undefined>;
	put(request: Request, response: Response): Promise<void>;
}

export type CachedPlay = {
	readonly deps: Deps;
	readonly cache: EdgeCache;
	/** The application, which serves what is not cached, and refuses whom it must. */
	readonly fetch: (request: Request) => Response | Promise<Response>;
	/** Lets work go on when the answer has been given. */
	readonly waitUntil: (work: Promise<unknown>) => void;
};

/** When a response was put into the cache, in milliseconds since the Unix epoch. Taken off before anybody sees it. */
const STORED_HEADER = "x-sluice-stored";

/**
 * Answers a GET of `/{token}/{path}/{file}` from the cache, or by the application. `null` for every other request and for
 * who may not watch: the application knows what to say to them.
 */
export async function playThroughCache(play: CachedPlay, request: Request): Promise<Response | null> {
	const admitted = await admittedBy(play.deps, request);
	if (admitted === null) return null;
	const { url } = admitted;
	const range = request.headers.get("range");
	const key = new Request(url, range === null ? {} : { headers: { range } });
	const cached = await play.cache.match(key);
	const { clock, log } = play.deps;
	if (cached !== undefined) {
		log.info(
			{ method: request.method, path: publicInstance(request.url), status: cached.status, cache: "hit" },
			"request",
		);
		return forViewer(cached, admitted, clock.now(), "hit");
	}
	const response = await play.fetch(await originRequest(play.deps, request, url));
	if (response.status !== 200) return response;
	const stored = new Response(response.clone().body, response);
	stored.headers.set(STORED_HEADER, String(clock.now()));
	play.waitUntil(
		play.cache.put(new Request(url), stored).catch((error: unknown) => {
			log.error({ err: error, path: publicInstance(request.url) }, "The cache did not take a response");
		}),
	);
	return forViewer(response, admitted, clock.now(), "fwd=uri-miss; stored");
}

type Admitted = {
	/** The shared address of what is asked for. */
	readonly url: string;
	/** Until when the viewer may see it, in milliseconds since the Unix epoch. */
	readonly expiresMs: number;
	/** Whether the token is for some viewers only, whom other caches do not know. */
	readonly hasLimits: boolean;
};

async function admittedBy({ tokens, viewerOf }: Deps, request: Request): Promise<Admitted | null> {
	// A HEAD has no body to share; conditional requests are rare, and the application answers them.
	if (request.method !== "GET" || request.headers.has("if-none-match")) return null;
	try {
		const { token, path, file } = addressOf(request);
		if (token === EDGE_SEGMENT || !isPlaybackFile(file)) return null;
		const { expiresMs, limits = {} } = await tokens.admitReader(token, path, viewerOf(request, undefined));
		// The path and the file as they were read, not as they were spelled; and without the query, which says nothing.
		const url = new URL(`/${EDGE_SEGMENT}/${path}/${file}`, request.url).href;
		return { url, expiresMs, hasLimits: Object.keys(limits).length > 0 };
	} catch {
		// Whatever the reason is, the application finds it again, and answers and logs it as always.
		return null;
	}
}

async function originRequest(deps: Deps, request: Request, url: string): Promise<Request> {
	const [key] = await deps.tokens.edgeKeys();
	if (key === undefined) throw new TypeError("Cannot ask the application: there is no secret for edge tokens");
	const headers = new Headers({ [EDGE_HEADER]: await edgeProof(key, new URL(url).pathname) });
	const range = request.headers.get("range");
	if (range !== null) headers.set("range", range);
	return new Request(url, { headers, signal: request.signal });
}

/** A viewer may keep it for as long as it has left to live, and the token. */
function forViewer(response: Response, { expiresMs, hasLimits }: Admitted, nowMs: number, status: string): Response {
	const copy = new Response(response.body, response);
	// RFC 9211.
	copy.headers.set("cache-status", `sluice; ${status}`);
	const storedMs = Number(copy.headers.get(STORED_HEADER) ?? nowMs);
	copy.headers.delete(STORED_HEADER);
	const control = copy.headers.get("cache-control") ?? "";
	copy.headers.set(
		"cache-control",
		(hasLimits ? control.replace("public", "private") : control).replace(/max-age=(\d+)/, (_, seconds: string) => {
			const leftMs = Math.min(storedMs + Number(seconds) * 1000, expiresMs) - nowMs;
			return `max-age=${Math.max(0, Math.floor(leftMs / 1000))}`;
		}),
	);
	return copy;
}
