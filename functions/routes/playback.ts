/**
 * Playback: `/{token}/{path}/{file}`. The token stands in the path, so that relative URLs keep it, players need know
 * nothing of it, and a CDN can strip it from its cache key. Nothing in a body names it.
 */

import * as z from "zod";
import { isEdgeProof } from "#shared/access/edge-token.ts";
import type { Viewer } from "#shared/access/token-limits.ts";
import { pathConfigOf } from "#shared/config/path-of.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import { mediaKey } from "#shared/store/key.ts";
import type { GetOptions, ObjectInfo } from "#shared/store/object-store.ts";
import { renderMedia, renderMultivariant } from "#shared/timeline/playlist.ts";
import type { TimelineRecord } from "#shared/timeline/record.ts";
import type { Deps } from "../deps.ts";
import type { Dvr, DvrPlaylist } from "../dvr/dvr.ts";
import { parseRange, parseSkip, type RangeQuery } from "../dvr/range-query.ts";
import { MAX_AGE_FOR_CACHE, type NewestRecords } from "../newest-records.ts";
import type { RecentOverrides } from "../recent-overrides.ts";
import { respondBody, respondEmpty } from "../respond.ts";
import { type Route, route } from "../routing.ts";

export const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";
const MAX_SEGMENT_AGE_S = 31_536_000;
const RENDITION_FILE = /^([a-z][a-z0-9]{0,15})\.m3u8$/;
const MEDIA_FILE = /^[0-9A-Za-z][0-9A-Za-z-]{0,120}\.(?:m4s|mp4)$/;
/** Says whether a path can have a file of this name. Never throws. */
export function isPlaybackFile(file: string): boolean {
	return RENDITION_FILE.test(file) || MEDIA_FILE.test(file);
}

/** How long a presigned URL lives beyond the media that it is for: a player may be paused, or far behind. */
const PRESIGN_SPARE_S = 300;
/** Seven days, which signatures of S3 allow. */
const MAX_PRESIGN_S = 604_800;

/** Where functions at the edge ask for what they share among viewers: `/edge/{path}/{file}`, with {@link EDGE_HEADER}. */
export const EDGE_SEGMENT = "edge";
/** Proves that who asks has verified a token for this very address. */
export const EDGE_HEADER = "x-sluice-edge";

type Playback = {
	readonly deps: Deps;
	readonly records: NewestRecords;
	readonly overrides: RecentOverrides;
	readonly dvr: Dvr;
	readonly request: Request;
};
type Asked = {
	readonly path: PathName;
	readonly file: string;
	/** Until when it may be used: milliseconds since the Unix epoch, or for ever. */
	readonly expiresMs: number;
	/** A token with limits is for some viewers: caches of all must not keep what it was shown. */
	readonly cacheability: "public" | "private";
	/** Of the record, in target durations. */
	readonly maxAge?: number;
};

/** Answers a GET or HEAD of `/{token}/{path}/{file}`. */
export async function play(playback: Playback, viewer: Viewer): Promise<Response> {
	const { token, path, file } = addressOf(playback.request);
	const { expiresMs, subject, limits = {} } = await playback.deps.tokens.admitReader(token, path, viewer);
	const cacheability = Object.keys(limits).length === 0 ? "public" : "private";
	if (file.endsWith(".m3u8")) playback.deps.served?.seen(path, { address: viewer.ip ?? "", token, subject });
	return serve(playback, { path, file, expiresMs, cacheability });
}

/** Answers a GET or HEAD of `/edge/{path}/{file}`. Without a proof there is nothing at that address. */
export async function playAtEdge(playback: Playback): Promise<Response> {
	const { path, file } = addressOf(playback.request);
	const { pathname } = new URL(playback.request.url);
	const proof = playback.request.headers.get(EDGE_HEADER) ?? "";
	if (!(await isEdgeProof(await playback.deps.tokens.edgeKeys(), pathname, proof))) throw nothingHere();
	return serve(playback, {
		...{ path, file, expiresMs: Number.POSITIVE_INFINITY, cacheability: "public" },
		maxAge: MAX_AGE_FOR_CACHE,
	});
}

async function serve(playback: Playback, asked: Asked): Promise<Response> {
	const { deps, records, overrides, request } = playback;
	const { path, file } = asked;
	const rendition = RENDITION_FILE.exec(file)?.[1];
	if (rendition !== undefined) {
		const parameters = request.url.includes("?") ? new URL(request.url).searchParams : new URLSearchParams();
		const query = parseRange(parameters);
		const isDelta = parseSkip(parameters);
		const record = await records.get(path, asked.maxAge);
		if (record === null) throw new GoneError("stream.not_found", `Nobody has published to ${path} yet`);
		if (query !== null) return rangePlaylist(playback, asked, record, query, isDelta);
		// A node has just taken it: what it had before is over, and what comes is not there yet.
		if (record.renditions.length === 0)
			throw new GoneError("stream.not_found", `${path} has no segment yet; try again in some seconds`);
		if (file === "index.m3u8") return multivariant(deps, asked, record);
		const uriOf = await presignedUris(deps, overrides, record, path);
		return mediaPlaylist(deps, asked, record, { rendition, uriOf, isDelta });
	}
	if (MEDIA_FILE.test(file)) return media(deps, asked, request);
	throw new GoneError("http.not_found", `${path} has no such file`);
}

/** @throws InputError `path.name`, GoneError `http.not_found` */
export function addressOf(request: Request): { token: string; path: PathName; file: string } {
	// A request's URL is normalized. Viewers ask often, and a URL object costs a tenth of the answer.
	const [, token = "", ...rest] = (/^[^/]*\/\/[^/]*([^?#]*)/.exec(request.url)?.[1] ?? "").split("/");
	const file = rest.pop() ?? "";
	// Addresses of the API that do not exist are no tokens.
	if (token === "v1" || token === ".well-known" || rest.length === 0) throw nothingHere();
	let name: string;
	try {
		name = decodeURIComponent(rest.join("/"));
	} catch (cause) {
		throw new InputError("path.name", "The path in the address has a broken percent escape", { cause });
	}
	return { token, path: parsePathName(name), file };
}

function nothingHere(): GoneError {
	return new GoneError("http.not_found", "There is nothing at this address; /openapi.json lists what there is");
}

function multivariant(deps: Deps, asked: Asked, record: TimelineRecord): Response {
	return playlist(deps, asked, record, renderMultivariant(record, { urlOf: (id) => `${id}.m3u8` }));
}

function mediaPlaylist(
	deps: Deps,
	asked: Asked,
	record: TimelineRecord,
	{ rendition, uriOf, isDelta }: { rendition: string; uriOf: UriOf | null; isDelta: boolean },
): Response {
	const text =
		uriOf === null ? relativeMedia(record, rendition, isDelta) : renderMedia(record, rendition, { uriOf, isDelta });
	if (text === null) throw new GoneError("http.not_found", `${asked.path} has no rendition ${rendition} now`);
	return playlist(deps, asked, record, text);
}

type UriOf = (file: string) => string;

const relativeTexts = new WeakMap<TimelineRecord, Map<string, string>>();

/** With relative URIs, so that the token in the path serves: the same for all viewers, and rendered once for a record. */
function relativeMedia(record: TimelineRecord, rendition: string, isDelta: boolean): string | null {
	const texts = relativeTexts.get(record) ?? new Map<string, string>();
	const key = isDelta ? `${rendition} delta` : rendition;
	const known = texts.get(key);
	if (known !== undefined) return known;
	const text = renderMedia(record, rendition, { uriOf: (file) => file, isDelta });
	// A record has few renditions, and no others are kept.
	if (text !== null) relativeTexts.set(record, texts.set(key, text));
	return text;
}

/** The URIs of a path that asks for presigned ones, if the bucket has them; `null` for one whose URIs are relative. */
async function presignedUris(
	deps: Deps,
	overrides: RecentOverrides,
	record: TimelineRecord,
	path: PathName,
): Promise<UriOf | null> {
	const urisFor = await presigner(deps, overrides, path);
	return urisFor?.(record.window.reduce((sum, { duration }) => sum + duration, 0)) ?? null;
}

/** Makes the URIs of a playlist that lasts so many seconds. */
async function presigner(
	{ presign, settings }: Deps,
	overrides: RecentOverrides,
	path: PathName,
): Promise<((seconds: number) => UriOf) | null> {
	if (presign === null) return null;
	const { hlsDelivery } = pathConfigOf(settings, path, await overrides.get(path));
	if (hlsDelivery !== "presigned") return null;
	return (seconds) => {
		const lifeS = Math.min(MAX_PRESIGN_S, Math.ceil(seconds) + PRESIGN_SPARE_S);
		return (file) => presign(mediaKey(path, file), lifeS);
	};
}

/** A playlist of a range of time. */
async function rangePlaylist(
	{ deps, overrides, dvr }: Playback,
	asked: Asked,
	record: TimelineRecord,
	query: RangeQuery,
	isDelta: boolean,
): Promise<Response> {
	const { path, file } = asked;
	const range = { path, record, query };
	const rendition = file.slice(0, -".m3u8".length);
	const { text, maxAgeS }: DvrPlaylist =
		file === "index.m3u8"
			? await dvr.multivariant(range)
			: await dvr.media({ ...range, rendition, isDelta, uriOf: await presigner(deps, overrides, path) });
	return playlistFor(deps, asked, text, maxAgeS);
}

/** RFC 8216 §6.3.4: a playlist is loaded again after a target duration; half of that is how old it may be. */
function playlist(deps: Deps, asked: Asked, record: TimelineRecord, text: string): Response {
	return playlistFor(deps, asked, text, Math.max(1, Math.floor(record.targetDuration / 2)));
}

function playlistFor({ clock, served }: Deps, asked: Asked, text: string, maxAgeS: number): Response {
	// It is ASCII.
	served?.playlist(asked.path, text.length);
	const ageS = Math.min(maxAgeS, lifeOf(asked, clock.now()));
	return respondBody(200, text, {
		"content-type": PLAYLIST_TYPE,
		"cache-control": `${asked.cacheability}, max-age=${ageS}`,
	});
}

/** A segment never changes; it is cached as long as its URL, which holds the token, may be used. */
async function media({ store, clock, served }: Deps, asked: Asked, request: Request): Promise<Response> {
	const { path, file } = asked;
	const key = mediaKey(path, file);
	const range = rangeOf(request.headers.get("range"));
	const headersOf = ({ contentType, etag }: ObjectInfo) => ({
		"content-type": contentType ?? "video/mp4",
		"cache-control": `${asked.cacheability}, max-age=${Math.min(MAX_SEGMENT_AGE_S, lifeOf(asked, clock.now()))}, immutable`,
		etag: `"${etag}"`,
		"accept-ranges": "bytes",
	});
	if (request.method === "HEAD") {
		const info = expect(await store.head(key), file);
		return respondBody(200, null, { ...headersOf(info), "content-length": String(info.size) });
	}
	const object = expect(await store.get(key, { ...range, signal: request.signal }), file);
	const { start, end } = object.range;
	const headers = { ...headersOf(object), "content-length": String(end - start + 1) };
	if (request.headers.get("if-none-match") === headers.etag) {
		await object.stream().cancel();
		return respondEmpty(304, headersOf(object));
	}
	served?.segment(path, end - start + 1);
	if (range.range === undefined) return respondBody(200, object.stream(), headers);
	return respondBody(206, object.stream(), { ...headers, "content-range": `bytes ${start}-${end}/${object.size}` });
}

function expect<T>(object: T | null, file: string): T {
	if (object !== null) return object;
	throw new GoneError("http.not_found", `${file} is not there, or not any more`);
}

/** One range of bytes, RFC 9110 §14.1.2. What is malformed, or of several ranges, is answered as if there were none. */
function rangeOf(header: string | null): Pick<GetOptions, "range"> {
	const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
	if (match === null) return {};
	const [, first = "", last = ""] = match;
	if (first === "") return last === "" ? {} : { range: { suffix: Number(last) } };
	if (last !== "" && Number(last) < Number(first)) return {};
	return { range: { start: Number(first), ...(last === "" ? {} : { end: Number(last) }) } };
}

/** Whole seconds for which the token is still valid. */
function lifeOf({ expiresMs }: Pick<Asked, "expiresMs">, nowMs: number): number {
	return Math.max(0, Math.floor((expiresMs - nowMs) / 1000));
}

const params = { token: z.string().describe("Allows to read the path"), path: z.string() };
const time = "a time of RFC 3339, Unix seconds, or seconds before now such as -7200";
const playlistQuery = {
	start: z.string().optional().describe(`Play what was recorded, from there on: ${time}`),
	end: z.string().optional().describe(`Until then, as the start; without it the playlist goes on with the stream`),
	_HLS_skip: z.enum(["YES", "v2"]).optional().describe("A delta update, RFC 8216bis §6.2.5.1"),
};
const served = (
	path: string,
	operationId: string,
	summary: string,
	more: z.ZodRawShape,
	contentType: string,
	statuses: Route["responses"],
): Route =>
	route({
		method: "GET",
		path,
		operationId,
		summary,
		access: "path-token",
		params: z.object({ ...params, ...more }),
		...(contentType === PLAYLIST_TYPE ? { query: z.object(playlistQuery) } : {}),
		responses: { 200: { description: summary, contentType }, ...statuses },
		handler: () => {
			throw new TypeError("Cannot serve playback from the table of routes");
		},
	});

/** How the document describes what {@link play} answers. */
export const PLAYBACK_ROUTES: readonly Route[] = [
	served("/{token}/{path}/index.m3u8", "getMultivariantPlaylist", "The multivariant playlist", {}, PLAYLIST_TYPE, {}),
	served(
		"/{token}/{path}/{rendition}.m3u8",
		"getMediaPlaylist",
		"The media playlist of one rendition",
		{ rendition: z.string() },
		PLAYLIST_TYPE,
		{},
	),
	served("/{token}/{path}/{file}", "getMedia", "A media or init segment", { file: z.string() }, "video/mp4", {
		206: { description: "A part of it", contentType: "video/mp4" },
	}),
];
