/**
 * Playback: `/{token}/{path}/{file}`. The token stands in the path, so that relative URLs keep it, players need know
 * nothing of it, and a CDN can strip it from its cache key. Nothing in a body names it.
 */

import { z } from "zod";
import { allows } from "#shared/access/permission.ts";
import type { Claims } from "#shared/access/token.ts";
import { pathConfigOf } from "#shared/config/path-of.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { DeniedError, GoneError, InputError } from "#shared/problem.ts";
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
/** How long a presigned URL lives beyond the media that it is for: a player may be paused, or far behind. */
const PRESIGN_SPARE_S = 300;

/** Answers a GET or HEAD of `/{token}/{path}/{file}`. */
export async function play(deps: Deps, records: NewestRecords, request: Request): Promise<Response> {
	const { token, path, file } = addressOf(request);
	const claims = await deps.verifier.verify(token);
	if (!allows(claims.permissions, "read", path))
		throw new DeniedError("access.forbidden", `The token does not allow to read ${path}`);
	const rendition = RENDITION_FILE.exec(file)?.[1];
	if (rendition !== undefined) {
		const record = await records.get(path);
		if (record === null) throw new GoneError("stream.not_found", `Nobody has published to ${path} yet`);
		// A node has just taken it: what it had before is over, and what comes is not there yet.
		if (record.renditions.length === 0)
			throw new GoneError("stream.not_found", `${path} has no segment yet; try again in some seconds`);
		return file === "index.m3u8"
			? multivariant(deps, claims, record)
			: mediaPlaylist(deps, claims, record, path, rendition);
	}
	if (MEDIA_FILE.test(file)) return media(deps, claims, request, path, file);
	throw new GoneError("http.not_found", `${path} has no such file`);
}

/** @throws InputError `path.name`, GoneError `http.not_found` */
function addressOf(request: Request): { token: string; path: PathName; file: string } {
	const [, token = "", ...rest] = new URL(request.url).pathname.split("/");
	const file = rest.pop() ?? "";
	// Addresses of the API that do not exist are no tokens.
	if (token === "v1" || token === ".well-known" || rest.length === 0) {
		throw new GoneError("http.not_found", "There is nothing at this address; /openapi.json lists what there is");
	}
	let name: string;
	try {
		name = decodeURIComponent(rest.join("/"));
	} catch (cause) {
		throw new InputError("path.name", "The path in the address has a broken percent escape", { cause });
	}
	return { token, path: parsePathName(name), file };
}

function multivariant(deps: Deps, claims: Claims, record: TimelineRecord): Response {
	return playlist(deps, claims, record, renderMultivariant(record, { urlOf: (id) => `${id}.m3u8` }));
}

async function mediaPlaylist(
	deps: Deps,
	claims: Claims,
	record: TimelineRecord,
	path: PathName,
	rendition: string,
): Promise<Response> {
	const uriOf = await uriOfFiles(deps, record, path);
	const text = renderMedia(record, rendition, { uriOf });
	if (text === null) throw new GoneError("http.not_found", `${path} has no rendition ${rendition} now`);
	return playlist(deps, claims, record, text);
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
function playlist({ clock }: Deps, claims: Claims, record: TimelineRecord, text: string): Response {
	const ageS = Math.min(Math.max(1, Math.floor(record.targetDuration / 2)), lifeOf(claims, clock.now()));
	return respondBody(200, text, { "content-type": PLAYLIST_TYPE, "cache-control": `public, max-age=${ageS}` });
}

/** A segment never changes; it is cached as long as its URL, which holds the token, may be used. */
async function media(
	{ store, clock }: Deps,
	claims: Claims,
	request: Request,
	path: PathName,
	file: string,
): Promise<Response> {
	const key = mediaKey(path, file);
	const range = rangeOf(request.headers.get("range"));
	const headersOf = ({ contentType, etag }: ObjectInfo) => ({
		"content-type": contentType ?? "video/mp4",
		"cache-control": `public, max-age=${Math.min(MAX_SEGMENT_AGE_S, lifeOf(claims, clock.now()))}, immutable`,
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
function lifeOf({ expiresMs }: Claims, nowMs: number): number {
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
