/**
 * What all viewers share, cached at the edge: the token in the address is verified, and then taken out of it, so that a
 * thousand viewers of a segment make one bucket read. Playlists are kept as long as they say, segments for good.
 */

import { edgeProof } from "#shared/access/edge-token.ts";
import type { PathName } from "#shared/path-name.ts";
import type { Deps } from "./deps.ts";
import { playbackQuery } from "./playback-query.ts";
import { FRESH_SHARE, type KeptPlaylist, type PlaylistMemory } from "./playlist-memory.ts";
import { publicInstance } from "./public-instance.ts";
import { addressOf, EDGE_HEADER, EDGE_SEGMENT, isPlaybackFile, PLAYLIST_TYPE } from "./routes/playback.ts";

/** What is used of the Cache API of Workers. */
export interface EdgeCache {
	match(request: Request): Promise<Response | undefined>;
	put(request: Request, response: Response): Promise<void>;
}

export type CachedPlay = {
	readonly deps: Deps;
	readonly cache: EdgeCache;
	readonly memory: PlaylistMemory;
	/** The application, which serves what is not cached, and refuses whom it must. */
	readonly fetch: (request: Request) => Response | Promise<Response>;
	/** Lets work go on when the answer has been given. */
	readonly waitUntil: (work: Promise<unknown>) => void;
};

/** When a response was put into the cache, in milliseconds since the Unix epoch. Taken off before anybody sees it. */
const STORED_HEADER = "x-sluice-stored";
const MAX_AGE = /max-age=(\d+)/;

/**
 * Answers a GET of `/{token}/{path}/{file}` from the cache, or by the application. `null` for every other request and for
 * who may not watch: the application knows what to say to them.
 */
export async function playThroughCache(play: CachedPlay, request: Request): Promise<Response | null> {
	const admitted = await admittedBy(play.deps, request);
	if (admitted === null) return null;
	const { shared, path } = admitted;
	const { clock, log, served } = play.deps;
	const kept = play.memory.get(shared, clock.now());
	if (kept !== null) {
		served?.playlist(path, kept.text.length);
		return respondKept(kept, admitted, clock.now());
	}
	const url = new URL(shared, request.url).href;
	const range = request.headers.get("range");
	const key = new Request(url, range === null ? {} : { headers: { range } });
	const cached = await play.cache.match(key);
	if (cached !== undefined && !isAgeing(cached, clock.now())) {
		log.debug?.(
			{ method: request.method, path: publicInstance(request.url), status: cached.status, cache: "hit" },
			"request",
		);
		// What is not cached the application serves, and counts.
		const bytes = Number(cached.headers.get("content-length") ?? 0);
		if (cached.headers.get("content-type") === PLAYLIST_TYPE) served?.playlist(path, bytes);
		else served?.segment(path, bytes);
		return forViewer(await rememberPlaylist(play, shared, cached), admitted, clock.now(), "hit");
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
	return forViewer(await rememberPlaylist(play, shared, response), admitted, clock.now(), "fwd=uri-miss; stored");
}

/** Whether it is a playlist that is about to be too old: one request of each instance comes here then, and brings the next. */
function isAgeing({ headers }: Response, nowMs: number): boolean {
	if (headers.get("content-type") !== PLAYLIST_TYPE) return false;
	const seconds = Number(MAX_AGE.exec(headers.get("cache-control") ?? "")?.[1] ?? 0);
	return nowMs - Number(headers.get(STORED_HEADER) ?? 0) >= seconds * 1000 * FRESH_SHARE;
}

/** The same response; what all viewers share of a playlist is remembered. */
async function rememberPlaylist({ memory, deps }: CachedPlay, shared: string, response: Response): Promise<Response> {
	if (response.status !== 200 || response.headers.get("content-type") !== PLAYLIST_TYPE) return response;
	const storedMs = Number(response.headers.get(STORED_HEADER) ?? deps.clock.now());
	const control = response.headers.get("cache-control") ?? "";
	const seconds = Number(MAX_AGE.exec(control)?.[1] ?? 0);
	const text = await response.text();
	const headers = new Headers(response.headers);
	headers.delete(STORED_HEADER);
	// RFC 9211.
	headers.set("cache-status", "sluice; hit");
	memory.keep(shared, { text, headers, control, storedMs, untilMs: storedMs + seconds * 1000 });
	return new Response(text, response);
}

function respondKept(kept: KeptPlaylist, admitted: Admitted, nowMs: number): Response {
	const { text, headers, control, storedMs } = kept;
	// One object for all viewers, since making it anew costs as much as the rest. The response has a copy.
	headers.set("cache-control", cacheControl(control, storedMs, admitted, nowMs));
	return new Response(text, { headers });
}

type Admitted = {
	/** The shared address of what is asked for, from its path on. */
	readonly shared: string;
	readonly path: PathName;
	/** Until when the viewer may see it, in milliseconds since the Unix epoch. */
	readonly expiresMs: number;
	/** Whether the token is for some viewers only, whom other caches do not know. */
	readonly hasLimits: boolean;
};

async function admittedBy({ tokens, viewerOf, served }: Deps, request: Request): Promise<Admitted | null> {
	// A HEAD has no body to share; conditional requests are rare, and the application answers them.
	if (request.method !== "GET" || request.headers.has("if-none-match")) return null;
	try {
		const { token, path, file } = addressOf(request);
		if (token === EDGE_SEGMENT || !isPlaybackFile(file)) return null;
		const viewer = viewerOf(request, undefined);
		const { expiresMs, subject, limits = {} } = await tokens.admitReader(token, path, viewer);
		if (file.endsWith(".m3u8")) served?.seen(path, { address: viewer.ip ?? "", token, subject });
		// The path and the file as they were read, not as they were spelled; of the query what a playlist may ask for.
		const asks = file.endsWith(".m3u8") && request.url.includes("?");
		const query = asks ? playbackQuery(new URL(request.url).searchParams) : "";
		const shared = `/${EDGE_SEGMENT}/${path}/${file}${query}`;
		return { shared, path, expiresMs, hasLimits: Object.keys(limits).length > 0 };
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
	copy.headers.set("cache-control", cacheControl(control, storedMs, { expiresMs, hasLimits }, nowMs));
	return copy;
}

function cacheControl(
	control: string,
	storedMs: number,
	{ expiresMs, hasLimits }: Pick<Admitted, "expiresMs" | "hasLimits">,
	nowMs: number,
): string {
	return (hasLimits ? control.replace("public", "private") : control).replace(MAX_AGE, (_, seconds: string) => {
		const leftMs = Math.min(storedMs + Number(seconds) * 1000, expiresMs) - nowMs;
		return `max-age=${Math.max(0, Math.floor(leftMs / 1000))}`;
	});
}
