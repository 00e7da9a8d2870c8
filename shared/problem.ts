/**
 * The error taxonomy. Every error that a person or a peer can cause is a {@link SluiceError} with a code from the
 * closed set below; anything else that is thrown is a bug. A code becomes an HTTP status in `functions/respond.ts`,
 * an RTSP status in `media-node/rtsp/session.ts` and a log line, each exactly once, at the boundary.
 */

/**
 * - `protocol`: the peer broke or exceeded a protocol. Its session ends.
 * - `denied`: no token, a wrong token, or not allowed.
 * - `input`: a person's configuration or request is wrong.
 * - `store`: the bucket said so.
 * - `gone`: the thing was closed or is not there; normal in live video.
 */
export type ProblemKind = "protocol" | "denied" | "input" | "store" | "gone";

type ProblemDefinition = { readonly kind: ProblemKind; readonly status: number; readonly title: string };

/** Every code there is, with its HTTP status and the RFC 9457 title, which is stable for a code. */
export const PROBLEMS = {
	// protocol
	"bytes.truncated": { kind: "protocol", status: 400, title: "The data ends before its structure does" },
	"bytes.malformed": { kind: "protocol", status: 400, title: "The data does not follow its format" },
	"bytes.limit": { kind: "protocol", status: 413, title: "The data exceeds a limit" },
	"media.unsupported": { kind: "protocol", status: 415, title: "The codec or feature is not supported" },
	"rtsp.malformed": { kind: "protocol", status: 400, title: "The RTSP message is malformed" },
	"rtsp.state": { kind: "protocol", status: 455, title: "The RTSP method is not valid in this state" },
	"rtsp.session": { kind: "protocol", status: 454, title: "There is no such RTSP session" },
	"rtsp.transport": { kind: "protocol", status: 461, title: "The RTSP transport is not supported" },
	"rtsp.timeout": { kind: "protocol", status: 408, title: "The RTSP peer went silent" },
	"webrtc.failed": { kind: "protocol", status: 400, title: "The WebRTC connection failed" },
	"source.unreachable": { kind: "protocol", status: 502, title: "The source cannot be reached" },
	"source.timeout": { kind: "protocol", status: 504, title: "The source went silent" },
	"acme.failed": { kind: "protocol", status: 502, title: "No certificate could be obtained" },

	// denied
	"access.token_missing": { kind: "denied", status: 401, title: "A token is required" },
	"access.token_invalid": { kind: "denied", status: 401, title: "The token is not valid" },
	"access.token_expired": { kind: "denied", status: 401, title: "The token has expired" },
	"access.token_revoked": { kind: "denied", status: 401, title: "The token was revoked" },
	"access.token_limit": { kind: "denied", status: 403, title: "The token is not for this viewer" },
	"access.forbidden": { kind: "denied", status: 403, title: "The token does not allow this" },
	"access.rate": { kind: "denied", status: 429, title: "Too many requests" },
	"access.credentials": { kind: "denied", status: 401, title: "The credentials are wrong" },

	// input
	"input.invalid": { kind: "input", status: 400, title: "The request is not valid" },
	"input.too_large": { kind: "input", status: 413, title: "The request body is too large" },
	"input.unsupported_media_type": { kind: "input", status: 415, title: "The content type is not supported" },
	"input.precondition": { kind: "input", status: 412, title: "The document has changed since it was read" },
	"input.range": { kind: "input", status: 416, title: "The range cannot be satisfied" },
	"config.invalid": { kind: "input", status: 400, title: "The configuration is not valid" },
	"path.name": { kind: "input", status: 400, title: "The path name is not valid" },
	"path.not_configured": { kind: "input", status: 404, title: "The path is not configured" },
	"path.conflict": { kind: "input", status: 409, title: "Somebody else is publishing to this path" },
	"path.readers": { kind: "input", status: 503, title: "The path has reached its number of readers" },
	"node.conflict": { kind: "input", status: 409, title: "Another node has this name" },
	"listen.in_use": { kind: "input", status: 500, title: "The port is in use" },

	// store
	"store.not_found": { kind: "store", status: 404, title: "The object does not exist" },
	"store.precondition": { kind: "store", status: 412, title: "A conditional write lost" },
	"store.conflict": { kind: "store", status: 409, title: "A conditional write met another one" },
	"store.throttled": { kind: "store", status: 429, title: "The bucket asks to slow down" },
	"store.unavailable": { kind: "store", status: 503, title: "The bucket cannot be reached" },
	"store.refused": { kind: "store", status: 502, title: "The bucket refused the request" },
	"timeline.fenced": { kind: "store", status: 409, title: "Another node owns this stream" },
	"timeline.corrupt": { kind: "store", status: 500, title: "A timeline object is damaged" },
	"spool.full": { kind: "store", status: 507, title: "The spool is full" },

	// gone
	"http.not_found": { kind: "gone", status: 404, title: "There is nothing at this address" },
	"http.method": { kind: "gone", status: 405, title: "The method is not allowed here" },
	"stream.not_found": { kind: "gone", status: 404, title: "No stream is available on this path" },
	"stream.moved": { kind: "gone", status: 404, title: "The stream is somewhere else" },
	"stream.ended": { kind: "gone", status: 410, title: "The stream has ended" },
	"session.closed": { kind: "gone", status: 410, title: "The session was closed" },
	"reader.too_slow": { kind: "gone", status: 503, title: "The reader cannot keep up" },
	"node.not_found": { kind: "gone", status: 404, title: "There is no such node" },
	"node.none": { kind: "gone", status: 503, title: "No media node is up" },
	"node.draining": { kind: "gone", status: 503, title: "The node takes no new streams" },
	aborted: { kind: "gone", status: 503, title: "The operation was stopped" },
} as const satisfies Record<string, ProblemDefinition>;

export type ProblemCode = keyof typeof PROBLEMS;
type CodeOf<K extends ProblemKind> = {
	[C in ProblemCode]: (typeof PROBLEMS)[C]["kind"] extends K ? C : never;
}[ProblemCode];

export type ProblemOptions = {
	/** Facts for machines: limits, field paths, addresses. Never a secret. */
	readonly data?: Readonly<Record<string, unknown>>;
	readonly cause?: unknown;
};

/** An error with a stable code. `message` is a sentence for a person: what happened, where, what to do. */
export class SluiceError extends Error {
	override name = "SluiceError";
	readonly code: ProblemCode;
	readonly data: Readonly<Record<string, unknown>>;

	constructor(code: ProblemCode, message: string, options: ProblemOptions = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause });
		this.code = code;
		this.data = options.data ?? {};
	}

	get kind(): ProblemKind {
		return PROBLEMS[this.code].kind;
	}
}

/** The peer broke or exceeded the protocol: its session ends with this. */
export class ProtocolError extends SluiceError {
	override name = "ProtocolError";
	constructor(code: CodeOf<"protocol">, message: string, options?: ProblemOptions) {
		super(code, message, options);
	}
}

/** No token, a wrong one, or one that does not allow this. */
export class DeniedError extends SluiceError {
	override name = "DeniedError";
	constructor(code: CodeOf<"denied">, message: string, options?: ProblemOptions) {
		super(code, message, options);
	}
}

/** A person's configuration or request is wrong. `data.issues` lists each fault with its path. */
export class InputError extends SluiceError {
	override name = "InputError";
	constructor(code: CodeOf<"input">, message: string, options?: ProblemOptions) {
		super(code, message, options);
	}
}

/** The bucket said so. `store.precondition`: we lost. `store.conflict`, `.throttled`, `.unavailable`: retry with a cap. */
export class StoreError extends SluiceError {
	override name = "StoreError";
	constructor(code: CodeOf<"store">, message: string, options?: ProblemOptions) {
		super(code, message, options);
	}
}

/** The thing was closed or is not there, which is normal in live video. */
export class GoneError extends SluiceError {
	override name = "GoneError";
	constructor(code: CodeOf<"gone">, message: string, options?: ProblemOptions) {
		super(code, message, options);
	}
}

/** Says whether `error` is a {@link SluiceError} with one of `codes`. Never throws. */
export function hasCode<C extends ProblemCode>(error: unknown, ...codes: C[]): error is SluiceError & { code: C } {
	return error instanceof SluiceError && (codes as ProblemCode[]).includes(error.code);
}

/** An RFC 9457 problem document. */
export type ProblemDocument = {
	readonly type: string;
	readonly title: string;
	readonly status: number;
	readonly detail: string;
	readonly code: ProblemCode | "internal";
	readonly [extension: string]: unknown;
};

/** Describes any thrown value as a problem document. What is not a {@link SluiceError} is a bug: 500, without detail. */
export function problemOf(error: unknown): ProblemDocument {
	if (!(error instanceof SluiceError)) {
		return {
			type: "about:blank",
			title: "Something went wrong on our side",
			status: 500,
			detail: "The error was logged. Try again, and report it if it stays.",
			code: "internal",
		};
	}
	const { status, title } = PROBLEMS[error.code];
	return {
		...error.data,
		type: `urn:sluice:problem:${error.code}`,
		title,
		status,
		detail: error.message,
		code: error.code,
	};
}
