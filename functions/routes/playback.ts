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
import type { NewestRecords } from "../newest-records.ts";
import { readPathOverrides } from "../path-documents.ts";
import { respondBody, respondEmpty } from "../respond.ts";
import { type Route, route } from "../routing.ts";

const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";
const MAX_SEGMENT_AGE_S = 31_536_000;
const RENDITION_FILE = /^([a-z][a-z0-9]{0,15})\.m3u8$/;
const MEDIA_FILE = /^[0-9A-Za-z][0-9A-Za-z-]{0,120}\.(?:m4s|mp4)$/;
/** Says whether a path can have a file of this name. Never throws. */
export function isPlaybackFile(file: string): boolean {
	return RENDITION_FILE.test(file) || MEDIA_FILE.test(file);
}

/** How long a presigned URL lives beyond the media that it is for: a player may be paused, or far behind. */
const PRESIGN_SPARE_S = 300;

/** Where functions at the edge ask for what they share among viewers: `/edge/{path}/{file}`, with {@link EDGE_HEADER}. */
export const EDGE_SEGMENT = "edge";
/** Proves that who asks has verified a token for this very address. */
export const EDGE_HEADER = "x-sluice-edge";

type Playback = { readonly deps: Deps; readonly records: NewestRecords; readonly request: Request };
type Asked = {
	readonly path: PathName;
	readonly file: string;
	/** Until when it may be used: milliseconds since the Unix epoch, or for ever. */
	readonly expiresMs: number;
	/** A token with limits is for some viewers: caches of all must not keep what it was shown. */
	readonly cacheability: "public" | "private";
};

/** Answers a GET or HEAD of `/{token}/{path}/{file}`. */
export async function play(playback: Playback, viewer: Viewer): Promise<Response> {
	const { token, path, file } = addressOf(playback.request);
	const { expiresMs, limits = {} } = await playback.deps.tokens.admitReader(token, path, viewer);
	const cacheability = Object.keys(limits).length === 0 ? "public" : "private";
	return serve(playback, { path, file, expiresMs, cacheability });
}

/** Answers a GET or HEAD of `/edge/{path}/{file}`. Without a proof there is nothing at that address. */
export async function playAtEdge(playback: Playback): Promise<Response> {
	const { path, file } = addressOf(playback.request);
	const { pathname } = new URL(playback.request.url);
	const proof = playback.request.headers.get(EDGE_HEADER) ?? "";
	if (!(await isEdgeProof(await playback.deps.tokens.edgeKeys(), pathname, proof))) throw nothingHere();
	return serve(playback, { path, file, expiresMs: Number.POSITIVE_INFINITY, cacheability: "public" });
}

async function serve({ deps, records, request }: Playback, asked: Asked): Promise<Response> {
	const { path, file } = asked;
	const rendition = RENDITION_FILE.exec(file)?.[1];
	if (rendition !== undefined) {
		const record = await records.get(path);
		if (record === null) throw new GoneError("stream.not_found", `Nobody has published to ${path} yet`);
		// A node has just taken it: what it had before is over, and what comes is not there yet.
		if (record.renditions.length === 0)
			throw new GoneError("stream.not_found", `${path} has no segment yet; try again in some seconds`);
		return file === "index.m3u8" ? multivariant(deps, asked, record) : mediaPlaylist(deps, asked, record, rendition);
	}
	if (MEDIA_FILE.test(file)) return media(deps, asked, request);
	throw new GoneError("http.not_found", `${path} has no such file`);
}

/** @throws InputError `path.name`, GoneError `http.not_found` */
export function addressOf(request: Request): { token: string; path: PathName; file: string } {
	const [, token = "", ...rest] = new URL(request.url).pathname.split("/");
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

async function mediaPlaylist(deps: Deps, asked: Asked, record: TimelineRecord, rendition: string): Promise<Response> {
	const { path } = asked;
	const uriOf = await uriOfFiles(deps, record, path);
	const text = renderMedia(record, rendition, { uriOf });
	if (text === null) throw new GoneError("http.not_found", `${path} has no rendition ${rendition} now`);
	return playlist(deps, asked, record, text);
}

/** Relative, so that the token in the path serves; or presigned, if the path asks for it and the bucket can. */
async function uriOfFiles(
	{ presign, settings, store }: Deps,
	record: TimelineRecord,
	path: PathName,
): Promise<(file: string) => string> {
	const relative = (file: string) => file;
	if (presign === null) return relative;
	const own = await readPathOverrides(store, path);
	const { hlsDelivery } = pathConfigOf(settings, path, own?.overrides ?? {});
	if (hlsDelivery !== "presigned") return relative;
	const seconds = record.window.reduce((sum, { duration }) => sum + duration, 0) + PRESIGN_SPARE_S;
	return (file) => presign(mediaKey(path, file), seconds);
}

/** RFC 8216 §6.3.4: a playlist is loaded again after a target duration; half of that is how old it may be. */
function playlist({ clock }: Deps, asked: Asked, record: TimelineRecord, text: string): Response {
	const ageS = Math.min(Math.max(1, Math.floor(record.targetDuration / 2)), lifeOf(asked, clock.now()));
	return respondBody(200, text, {
		"content-type": PLAYLIST_TYPE,
		"cache-control": `${asked.cacheability}, max-age=${ageS}`,
	});
}

/** A segment never changes; it is cached as long as its URL, which holds the token, may be used. */
async function media({ store, clock }: Deps, asked: Asked, request: Request): Promise<Response> {
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
