/** The console: static files, which an entry brings and this answers with. What the console shows, it asks the API for. */

import { base64url } from "jose";
import { GoneError } from "#shared/problem.ts";
import { type ResponseHeaders, respondBody, respondEmpty } from "./respond.ts";

export type ConsoleFile = {
	readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
	/** The same by gzip, where nobody else compresses what the functions answer. */
	readonly gzip?: Uint8Array<ArrayBuffer>;
	readonly contentType: string;
};

/** The files of a build, by their names in its folder: `index.html`, `assets/…`. */
export type ConsoleFiles = {
	/** `null`: there is none of this name. `index.html` is there if the console was built. */
	get(name: string): Promise<ConsoleFile | null>;
};

export const CONSOLE_ROOT = "/console/";

/** Where files are whose names have their content's hash; every other address is a page's, which `index.html` draws. */
const HASHED = "assets/";
const YEAR_S = 31_536_000;

const NOT_BUILT =
	"The console is not built: run `node setup.mjs` in the folder of Sluice, which `npm start` does too, and load this page again.\n";

/**
 * Scripts are ours alone. Mantine writes its variables into a style element. Players ask nodes (WHEP) and buckets
 * (segments) for media, whose addresses only the API knows; a script that could send a key there would have to be ours.
 */
const CONTENT_SECURITY_POLICY = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self' 'unsafe-inline'",
	"img-src 'self' data: blob:",
	"font-src 'self'",
	"connect-src 'self' https: http:",
	"media-src 'self' blob:",
	"worker-src 'self'",
	"frame-ancestors 'none'",
	"base-uri 'none'",
	"form-action 'none'",
].join("; ");

const SECURITY: ResponseHeaders = {
	"content-security-policy": CONTENT_SECURITY_POLICY,
	"permissions-policy":
		"camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), hid=(), midi=()",
	"cross-origin-opener-policy": "same-origin",
	"x-frame-options": "DENY",
	vary: "accept-encoding",
};

/** Answers a GET below `/console/`. @throws GoneError `http.not_found` for an asset that is not of this build */
export async function respondConsole(files: ConsoleFiles | null, request: Request): Promise<Response> {
	const asked = new URL(request.url).pathname.slice(CONSOLE_ROOT.length);
	if (!asked.startsWith(HASHED)) return respondIndex(await (files?.get("index.html") ?? null), request);
	const file = await (files?.get(asked) ?? null);
	if (file === null) {
		throw new GoneError(
			"http.not_found",
			"The console has no such file. It was updated in the meantime: load the page again",
		);
	}
	// Its name is its version.
	return respondFile(file, request, `"${asked.slice(HASHED.length)}"`, `public, max-age=${YEAR_S}, immutable`);
}

/** Leads from the root of the functions to the console. */
export function redirectToConsole(): Response {
	return respondEmpty(302, { location: CONSOLE_ROOT });
}

async function respondIndex(file: ConsoleFile | null, request: Request): Promise<Response> {
	if (file === null) {
		return respondBody(503, NOT_BUILT, {
			...SECURITY,
			"content-type": "text/plain; charset=utf-8",
			"cache-control": "no-store",
		});
	}
	const body =
		file.body instanceof Uint8Array ? file.body : new Uint8Array(await new Response(file.body).arrayBuffer());
	const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
	return respondFile({ ...file, body }, request, `"${base64url.encode(digest.subarray(0, 16))}"`, "no-cache");
}

function respondFile(file: ConsoleFile, request: Request, etag: string, cacheControl: string): Response {
	const isSmall = file.gzip !== undefined && takesGzip(request);
	// Other bytes, another etag.
	const version = isSmall ? etag.replace(/"$/, '-gzip"') : etag;
	const headers = { ...SECURITY, etag: version, "cache-control": cacheControl };
	if (isKnown(request, version)) return respondBody(304, null, headers);
	return respondBody(200, (isSmall ? file.gzip : file.body) ?? null, {
		...headers,
		"content-type": file.contentType,
		...(isSmall ? { "content-encoding": "gzip" } : {}),
	});
}

function takesGzip(request: Request): boolean {
	return /(?:^|,)\s*gzip\s*(?:,|;(?!\s*q=0(?:\.0*)?\s*(?:,|$))|$)/i.test(request.headers.get("accept-encoding") ?? "");
}

/** RFC 9110 §13.1.2: compared weakly, since a proxy that compresses weakens what it passes on. */
function isKnown(request: Request, etag: string): boolean {
	const known = (request.headers.get("if-none-match") ?? "").split(",").map((each) => each.trim().replace(/^W\//, ""));
	return known.includes(etag) || known.includes("*");
}
