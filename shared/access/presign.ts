/**
 * Presigned GET URLs: AWS Signature Version 4 in the query.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 *
 * The signing date is floored, so that all viewers get the same URL of an object for a while: caches can hold it, and it
 * is computed once. The hash functions are given by the entry, since only they know a synchronous one.
 */

import type { Clock } from "#shared/clock.ts";

export type Hashes = {
	/** HMAC-SHA256 of the UTF-8 bytes of `text`. */
	hmac(key: Uint8Array, text: string): Uint8Array;
	/** SHA-256 of the UTF-8 bytes of `text`, in lower-case hex. */
	sha256Hex(text: string): string;
};

export type PresignerOptions = {
	/** Such as `https://s3.eu-west-1.amazonaws.com`; no slash at the end. */
	readonly endpoint: string;
	readonly region: string;
	readonly bucket: string;
	/** Put before every key, without slashes around it; empty for none. */
	readonly prefix: string;
	/** `endpoint/bucket/key` rather than `bucket.endpoint/key`. */
	readonly pathStyle: boolean;
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
	readonly sessionToken?: string | undefined;
	readonly hashes: Hashes;
	readonly clock: Clock;
	/** How many URLs are remembered; 0 for none. */
	readonly cacheSize?: number;
};

/** Gives the URL at which `key` can be read for at least `seconds`; at most a week. */
export type Presign = (key: string, seconds: number) => string;

/** The longest life that S3 allows. */
export const MAX_PRESIGN_SECONDS = 7 * 24 * 3600;
/** URLs are the same for this long; they live this much longer than asked for. */
const DATE_STEP_S = 30;
const DEFAULT_CACHE_SIZE = 20_000;

export function createPresigner(options: PresignerOptions): Presign {
	const { region, accessKeyId, sessionToken, hashes, clock, cacheSize = DEFAULT_CACHE_SIZE } = options;
	const { origin, host, basePath } = placeOf(options);
	const keyPrefix = options.prefix === "" ? "" : `${options.prefix}/`;
	const token = sessionToken === undefined ? "" : `&X-Amz-Security-Token=${encodeRfc3986(sessionToken)}`;
	let day = { date: "", key: new Uint8Array(), scope: "" };
	let step = { atS: -1, amzDate: "" };
	let cache = new Map<string, string>();

	function sign(key: string, seconds: number): string {
		const credential = encodeRfc3986(`${accessKeyId}/${day.scope}`);
		const path = `${basePath}/${encodeKey(keyPrefix + key)}`;
		const query =
			`X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=${step.amzDate}` +
			`&X-Amz-Expires=${seconds}${token}&X-Amz-SignedHeaders=host`;
		const request = `GET\n${path}\n${query}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`;
		const text = `AWS4-HMAC-SHA256\n${step.amzDate}\n${day.scope}\n${hashes.sha256Hex(request)}`;
		return `${origin}${path}?${query}&X-Amz-Signature=${hex(hashes.hmac(day.key, text))}`;
	}

	return (key, seconds) => {
		const atS = Math.floor(clock.now() / 1000 / DATE_STEP_S) * DATE_STEP_S;
		if (atS !== step.atS) {
			const amzDate = new Date(atS * 1000).toISOString().replace(/[-:]|\.\d{3}/g, "");
			step = { atS, amzDate };
			cache = new Map();
			const date = amzDate.slice(0, 8);
			if (date !== day.date)
				day = { date, key: signingKey(hashes, options.secretAccessKey, date, region), scope: scopeOf(date, region) };
		}
		const life = Math.min(MAX_PRESIGN_SECONDS, Math.ceil(seconds) + DATE_STEP_S);
		if (cacheSize === 0) return sign(key, life);
		const name = `${life} ${key}`;
		let url = cache.get(name);
		if (url === undefined) {
			url = sign(key, life);
			if (cache.size >= cacheSize) cache.clear();
			cache.set(name, url);
		}
		return url;
	};
}

function placeOf({ endpoint, bucket, pathStyle }: PresignerOptions): {
	origin: string;
	host: string;
	basePath: string;
} {
	const url = new URL(endpoint);
	const folder = encodeKey(url.pathname.replace(/^\/+|\/+$/g, ""));
	const host = pathStyle ? url.host : `${bucket}.${url.host}`;
	const parts = [folder, pathStyle ? encodeRfc3986(bucket) : ""].filter((part) => part !== "");
	return { origin: `${url.protocol}//${host}`, host, basePath: parts.map((part) => `/${part}`).join("") };
}

function scopeOf(date: string, region: string): string {
	return `${date}/${region}/s3/aws4_request`;
}

/** The key of one day, region and service. */
function signingKey({ hmac }: Hashes, secret: string, date: string, region: string): Uint8Array<ArrayBuffer> {
	const seed = new TextEncoder().encode(`AWS4${secret}`);
	return new Uint8Array(hmac(hmac(hmac(hmac(seed, date), region), "s3"), "aws4_request"));
}

/** Percent-encodes all but RFC 3986's unreserved characters. */
function encodeRfc3986(text: string): string {
	return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The same, but for the slashes. Most keys need nothing. */
function encodeKey(key: string): string {
	return /^[A-Za-z0-9\-._~/]*$/.test(key) ? key : key.split("/").map(encodeRfc3986).join("/");
}

function hex(bytes: Uint8Array): string {
	let text = "";
	for (const byte of bytes) text += (byte < 16 ? "0" : "") + byte.toString(16);
	return text;
}
