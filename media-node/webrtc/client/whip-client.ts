/** The HTTP of WHIP and WHEP as a client: an offer is posted, and the session is deleted in the end. RFC 9725 §4.2. */

import http from "node:http";
import https from "node:https";
import { abortedError, type Clock } from "#shared/clock.ts";
import { DeniedError, InputError, ProtocolError, SluiceError } from "#shared/problem.ts";
import { createPinnedAgent } from "../../access/fingerprint.ts";
import { noteOwnConnection } from "../../own-connections.ts";
import { MAX_SDP_BYTES } from "../sdp/sdp.ts";

/** Servers that spread load answer 307 and 308, RFC 9725 §4.5. */
const MAX_REDIRECTS = 5;
/** How much of a refusal is shown. */
const MAX_REASON_CHARACTERS = 200;

export type WhipTarget = {
	/** Of HTTP or HTTPS; user and password are sent as Basic where there is no token. */
	readonly url: URL;
	/** Of RFC 6750; empty: none. It never goes to another origin. */
	readonly token: string;
	/** SHA-256 of the certificate, in hex; empty: it must be one that this machine trusts. */
	readonly fingerprint: string;
	readonly clock: Clock;
	/** For the whole of a request, with all redirects. */
	readonly timeoutMs: number;
};

export type WhipAnswer = {
	/** At most {@link MAX_SDP_BYTES}. */
	readonly sdp: string;
	/** Where the session is ended; `null`: the server did not say. */
	readonly session: URL | null;
};

type Reply = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: string };

/**
 * The target of a `whep://`, `wheps://`, `whip://` or `whips://` URL.
 * @throws InputError `config.invalid`
 */
export function whipTarget(text: string, options: Omit<WhipTarget, "url">): WhipTarget {
	const [scheme = "", rest = ""] = text.split(/:\/\/(.*)/s);
	const isTls = /^(?:whep|whip)s$/i.test(scheme);
	const url = URL.parse(`${isTls ? "https" : "http"}://${rest}`);
	if (url === null || url.hostname === "") {
		throw new InputError("config.invalid", `The address of a ${scheme}:// server must be a URL with a host`);
	}
	if (/[^\x21-\x7e]/.test(options.token)) {
		throw new InputError("config.invalid", `The token for ${url.host} has characters that no header can hold`);
	}
	// Without TLS there is no certificate.
	return { ...options, url, fingerprint: isTls ? options.fingerprint : "" };
}

/**
 * Posts an offer, and gives the answer.
 * @throws DeniedError `access.credentials` when the server wants others, or is not the one that is trusted
 * @throws ProtocolError `webrtc.failed` when it cannot be reached, is silent, or does not answer as WHIP asks
 * @throws GoneError `aborted`
 */
export async function postOffer(target: WhipTarget, offer: string, signal: AbortSignal): Promise<WhipAnswer> {
	return withTimeout(target, signal, async (stop) => {
		let url = target.url;
		for (let redirects = 0; ; redirects++) {
			const headers = { "content-type": "application/sdp", accept: "application/sdp" };
			const reply = await ask(target, url, { method: "POST", headers, body: offer }, stop);
			if (reply.status !== 307 && reply.status !== 308) return answerOf(reply, url);
			const next = URL.parse(reply.headers.location ?? "", url.href);
			if (next === null || redirects === MAX_REDIRECTS) throw failed(url, "redirects too often, or to nowhere");
			if (!isHttp(next) || (url.protocol === "https:" && next.protocol !== "https:")) {
				throw failed(url, "redirects to an address that is no HTTPS");
			}
			url = next;
		}
	});
}

/** Ends a session. @throws as {@link postOffer} */
export async function deleteSession(target: WhipTarget, session: URL, signal: AbortSignal): Promise<void> {
	await withTimeout(target, signal, (stop) => ask(target, session, { method: "DELETE", headers: {} }, stop));
}

function answerOf({ status, headers, body }: Reply, url: URL): WhipAnswer {
	if (status === 401 || status === 403) {
		throw new DeniedError(
			"access.credentials",
			`The server at ${url.host} wants other credentials (HTTP ${status}): set the right token`,
		);
	}
	if (status !== 201) throw failed(url, `answers ${status}${reasonOf(headers, body)}`);
	const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
	if (type !== "application/sdp") throw failed(url, `answers with ${type ?? "no type"} instead of application/sdp`);
	const session = headers.location === undefined ? null : URL.parse(headers.location, url.href);
	return { sdp: body, session: session !== null && isHttp(session) ? session : null };
}

/** What the server says in words: a problem document, the error of MediaMTX, or plain text. */
function reasonOf(headers: http.IncomingHttpHeaders, body: string): string {
	let text = /^text\/plain/i.test(headers["content-type"] ?? "") ? body : "";
	if (/json/i.test(headers["content-type"] ?? "")) {
		try {
			const { detail, error } = JSON.parse(body) as { detail?: unknown; error?: unknown };
			text = typeof detail === "string" ? detail : typeof error === "string" ? error : "";
		} catch {
			// A server that cannot write JSON has nothing to say.
		}
	}
	const line = text
		.replaceAll(/[^\x20-\x7e]+/g, " ")
		.trim()
		.slice(0, MAX_REASON_CHARACTERS);
	return line === "" ? "" : `: ${line}`;
}

async function withTimeout<T>(
	{ clock, timeoutMs, url }: WhipTarget,
	signal: AbortSignal,
	run: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
	const silence = new AbortController();
	const reason = failed(url, `did not answer within ${timeoutMs} ms`);
	const timer = clock.after(timeoutMs, () => silence.abort(reason));
	try {
		return await run(AbortSignal.any([signal, silence.signal]));
	} catch (error) {
		if (silence.signal.aborted && !signal.aborted) throw reason;
		throw error;
	} finally {
		timer[Symbol.dispose]();
	}
}

type Question = {
	readonly method: "POST" | "DELETE";
	readonly headers: Readonly<Record<string, string>>;
	readonly body?: string;
};

async function ask(target: WhipTarget, url: URL, question: Question, signal: AbortSignal): Promise<Reply> {
	if (signal.aborted) throw abortedError(signal);
	const fingerprint = url.protocol === "https:" ? target.fingerprint : "";
	const agent = createPinnedAgent({ url: url.href, fingerprint });
	try {
		return await exchange(target, url, question, agent, signal);
	} finally {
		agent.destroy();
	}
}

function exchange(
	target: WhipTarget,
	url: URL,
	{ method, headers, body = "" }: Question,
	agent: http.Agent,
	signal: AbortSignal,
): Promise<Reply> {
	return new Promise((resolve, reject) => {
		const address = new URL(url);
		address.username = address.password = "";
		const asking = (url.protocol === "https:" ? https : http).request(address, {
			...{ agent, method },
			headers: { ...headers, ...authorization(target, url), "content-length": `${Buffer.byteLength(body)}` },
		});
		asking.once("socket", noteOwnConnection);
		const stop = () => {
			reject(abortedError(signal));
			asking.destroy();
		};
		signal.addEventListener("abort", stop, { once: true });
		asking.once("close", () => {
			signal.removeEventListener("abort", stop);
			reject(failed(url, "closed the connection"));
		});
		asking.on("error", (cause) => reject(unreachable(url, cause)));
		asking.once("response", (response) => {
			const chunks: Uint8Array[] = [];
			let length = 0;
			response.on("data", (chunk: Uint8Array) => {
				length += chunk.length;
				chunks.push(chunk);
				if (length <= MAX_SDP_BYTES) return;
				reject(failed(url, `answers with more than ${MAX_SDP_BYTES} bytes`));
				asking.destroy();
			});
			response.once("end", () => {
				const { statusCode = 0, headers: replied } = response;
				resolve({ status: statusCode, headers: replied, body: Buffer.concat(chunks).toString("utf8") });
			});
			response.on("error", (cause) => reject(unreachable(url, cause)));
		});
		asking.end(body);
	});
}

/** Only for the server that is configured. */
function authorization({ url, token }: WhipTarget, to: URL): Record<string, string> {
	if (url.origin !== to.origin) return {};
	if (token !== "") return { authorization: `Bearer ${token}` };
	if (url.username === "" && url.password === "") return {};
	const pair = `${decoded(url.username)}:${decoded(url.password)}`;
	return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		// Somebody's password has a percent sign.
		return text;
	}
}

function isHttp({ protocol }: URL): boolean {
	return protocol === "http:" || protocol === "https:";
}

function failed(url: URL, why: string, cause?: unknown): ProtocolError {
	return new ProtocolError("webrtc.failed", `The server at ${url.host} ${why}`, { cause });
}

function unreachable(url: URL, cause: NodeJS.ErrnoException): SluiceError {
	if (cause instanceof SluiceError) return cause;
	const why = cause.message === "" ? (cause.code ?? "it refuses") : cause.message;
	// OpenSSL's words for a certificate, and those for one that has not the fingerprint.
	if (/CERT|SIGNATURE|ISSUER/.test(cause.code ?? "") || /fingerprint/.test(why)) {
		return new DeniedError(
			"access.credentials",
			`The certificate of ${url.host} is not trusted (${why}). If it is the right one, set its SHA-256 as fingerprint`,
			{ cause },
		);
	}
	return failed(url, `cannot be reached: ${why}`, cause);
}
