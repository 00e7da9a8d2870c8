/**
 * Where a bucket is, as a person writes it: `file:./data/bucket` or `/data/bucket` (a folder), `s3://bucket/prefix` with
 * `region`, `endpoint` and `pathStyle` as its query, or `memory:`.
 */

import * as z from "zod";
import { InputError } from "#shared/problem.ts";
import { assertObjectKey } from "#shared/store/object-key.ts";

export type BucketLocation =
	| { readonly kind: "memory" }
	| { readonly kind: "folder"; readonly root: string }
	| {
			readonly kind: "s3";
			readonly bucket: string;
			/** Without slashes around it; empty for the whole bucket. */
			readonly prefix: string;
			readonly region: string | null;
			readonly endpoint: string | null;
			readonly pathStyle: boolean;
	  };

export const MAX_BUCKET_LOCATION_LENGTH = 2048;

const FORMS =
	"a folder (file:./data/bucket or /data/bucket), s3://bucket/prefix?region=…&endpoint=…&pathStyle=true, or memory:";
/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z0-9-]{1,64}$/;
/** The layout's own keys need the rest of the 1024 bytes. */
const MAX_PREFIX_BYTES = 256;

/**
 * Reads where a bucket is.
 * @throws InputError `config.invalid`
 */
export function parseBucketLocation(text: string): BucketLocation {
	if (text.length > MAX_BUCKET_LOCATION_LENGTH)
		throw invalid(`is longer than ${MAX_BUCKET_LOCATION_LENGTH} characters`);
	if (text === "memory:") return { kind: "memory" };
	if (text.startsWith("s3://")) return parseS3(text);
	if (text.startsWith("file:")) return { kind: "folder", root: folderOf(text) };
	if (/^(\/|\.\/|\.\.\/)/.test(text)) return { kind: "folder", root: checkedFolder(text) };
	throw invalid(`must be ${FORMS}`);
}

/** The same for a field of a document: a string that becomes a {@link BucketLocation}. */
export const bucketLocationSchema = z.string().transform((text, context): BucketLocation => {
	try {
		return parseBucketLocation(text);
	} catch (error) {
		if (!(error instanceof InputError)) throw error;
		context.addIssue({ code: "custom", message: error.message });
		return z.NEVER;
	}
});

function folderOf(text: string): string {
	if (!text.startsWith("file://")) return checkedFolder(text.slice("file:".length));
	const url = parseUrl(text);
	if (url.host !== "" && url.host !== "localhost") throw invalid("must be file:///folder for a folder of this machine");
	try {
		return checkedFolder(decodeURIComponent(url.pathname));
	} catch (error) {
		if (error instanceof InputError) throw error;
		throw invalid("has a broken percent escape");
	}
}

function checkedFolder(root: string): string {
	if (root === "") throw invalid("names no folder");
	if (root.includes("\0")) throw invalid("has a NUL character");
	return root;
}

function parseS3(text: string): BucketLocation {
	const url = parseUrl(text);
	if (url.username !== "" || url.password !== "") {
		throw invalid("must not hold credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
	}
	if (url.port !== "" || url.hash !== "") throw invalid(`must be ${FORMS}`);
	if (!BUCKET_NAME.test(url.hostname)) {
		throw invalid("needs a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens after s3://");
	}
	const query = queryOf(url);
	const { region = null, endpoint = null, pathStyle = "false" } = query;
	if (region !== null && !REGION.test(region)) throw invalid("has a region that is none; an example is eu-central-1");
	if (pathStyle !== "true" && pathStyle !== "false") throw invalid("must have true or false as its pathStyle");
	return {
		kind: "s3",
		bucket: url.hostname,
		prefix: prefixOf(url),
		region,
		endpoint: endpoint === null ? null : checkedEndpoint(endpoint),
		pathStyle: pathStyle === "true",
	};
}

const S3_PARAMETERS = ["region", "endpoint", "pathStyle"] as const;

function queryOf(url: URL): { [P in (typeof S3_PARAMETERS)[number]]?: string } {
	for (const name of url.searchParams.keys()) {
		if (!(S3_PARAMETERS as readonly string[]).includes(name)) {
			throw invalid(
				`has an unknown parameter ${JSON.stringify(name.slice(0, 40))}; there are ${S3_PARAMETERS.join(", ")}`,
			);
		}
		if (url.searchParams.getAll(name).length > 1) throw invalid(`has more than one ${name}`);
	}
	return Object.fromEntries(url.searchParams);
}

function prefixOf(url: URL): string {
	try {
		const prefix = decodeURIComponent(url.pathname).replace(/^\/|\/$/g, "");
		if (prefix !== "") assertObjectKey(prefix);
		if (new TextEncoder().encode(prefix).length <= MAX_PREFIX_BYTES) return prefix;
	} catch {
		// A broken escape or a key that breaks the rule: either way it is no prefix.
	}
	throw invalid(`has a prefix that is not the beginning of a key, or is longer than ${MAX_PREFIX_BYTES} bytes`);
}

function checkedEndpoint(text: string): string {
	const url = URL.parse(text);
	const isPlain = url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
	if (!isPlain || (url.protocol !== "https:" && url.protocol !== "http:")) {
		throw invalid("needs an https:// or http:// URL without credentials, query and fragment as its endpoint");
	}
	return text;
}

function parseUrl(text: string): URL {
	const url = URL.parse(text);
	if (url === null) throw invalid(`must be ${FORMS}`);
	return url;
}

/** Without the text itself, which might hold a password in a wrong place. */
function invalid(fault: string): InputError {
	return new InputError("config.invalid", `The location of the bucket ${fault}`);
}
