/** The URL of an RTSP source, and the URLs of its media as real cameras mean them. Pure. */

import { InputError } from "#shared/problem.ts";
import { MAX_URL_LENGTH } from "./rtsp-url.ts";

export type SourceUrl = {
	readonly isTls: boolean;
	/** What carries the conversation: a connection of its own, two HTTP requests, or a WebSocket. */
	readonly tunnel: "none" | "http" | "websocket";
	/** A name, or an address; of IPv6 without brackets. */
	readonly host: string;
	readonly port: number;
	readonly user: string;
	readonly password: string;
	/** What requests say: rtsp:// or rtsps://, as it was written, without the user. */
	readonly requestUrl: string;
};

const URL_PARTS = /^(rtsps?)(?:\+(https?|wss?))?:\/\/(?:([^/?#]*)@)?([^/?#@]+)([^#]*)/i;
/** RTSP (RFC 2326 §9.2), RTSP over TLS (RFC 7826 §22.14), HTTP and HTTPS. */
const PORTS = { rtsp: 554, rtsps: 322, tunnel: 80, tunnels: 443 } as const;

/** @throws InputError `config.invalid`; the message does not show the URL, which may hold a password */
export function parseSourceUrl(text: string): SourceUrl {
	const match = text.length > MAX_URL_LENGTH ? null : URL_PARTS.exec(text.trim());
	const [, scheme = "", carrier = "", userInfo = "", place = "", rest = ""] = match ?? [];
	const address = /^(?:\[([0-9a-f:.]+)\]|([^[\]:]+))(?::(\d{1,5}))?$/i.exec(place);
	const host = address?.[1] ?? address?.[2] ?? "";
	const isTls = scheme.toLowerCase() === "rtsps";
	const tunnel = carrier === "" ? "none" : carrier.toLowerCase().startsWith("ws") ? "websocket" : "http";
	const usual = tunnel === "none" ? (isTls ? PORTS.rtsps : PORTS.rtsp) : isTls ? PORTS.tunnels : PORTS.tunnel;
	const port = address?.[3] === undefined ? usual : Number(address[3]);
	// What cannot be in a request line: it could begin another line.
	if (host === "" || port < 1 || port > 65_535 || /[^\x21-\x7e]/.test(place + rest)) {
		throw new InputError(
			"config.invalid",
			"The source is not an RTSP URL of at most 8 kB. It has the form rtsp://user:password@host:port/path, with what is special in user, password and path as %XX",
		);
	}
	const colon = userInfo.indexOf(":");
	return {
		isTls,
		tunnel,
		host,
		port,
		user: decoded(colon === -1 ? userInfo : userInfo.slice(0, colon)),
		password: colon === -1 ? "" : decoded(userInfo.slice(colon + 1)),
		requestUrl: `${isTls ? "rtsps" : "rtsp"}://${place}${rest === "" ? "/" : rest}`,
	};
}

/** Where a redirect leads; a relative one stays with the server. `null`: to nowhere that is RTSP. */
export function redirectedUrl(from: SourceUrl, location: string): SourceUrl | null {
	const isAbsolute = /^rtsps?:\/\//i.test(location);
	let to: SourceUrl;
	try {
		to = parseSourceUrl(isAbsolute ? location : `${originOf(from.requestUrl)}/${location.replace(/^\/+/, "")}`);
	} catch {
		// Why it is none does not matter to the operator: it is not his URL.
		return null;
	}
	// From a secure connection nobody is led to one that is not.
	if (from.isTls && !to.isTls) return null;
	const isSameHost = to.host.toLowerCase() === from.host.toLowerCase();
	// A tunnel stays a tunnel, at the port where it was found.
	const way = isAbsolute && !(isSameHost && from.tunnel !== "none") ? {} : { tunnel: from.tunnel, port: from.port };
	if (to.user !== "" || to.password !== "" || !isSameHost) return { ...to, ...way };
	return { ...to, ...way, user: from.user, password: from.password };
}

/**
 * What the control attributes of a description stand on: the session's own attribute, or what the response says, or
 * what was asked. RFC 2326 §C.1.1. PLAY and TEARDOWN go to the {@link controlUrlOf} of the session's own.
 */
export function baseUrlOf(
	requestUrl: string,
	response: { readonly contentBase?: string | undefined; readonly contentLocation?: string | undefined },
	sessionControl: string,
): string {
	const said = [response.contentBase, response.contentLocation].find((text) => text !== undefined && text !== "");
	let base = requestUrl;
	if (said !== undefined && isRtsp(said)) base = said;
	else if (said?.startsWith("/")) base = originOf(requestUrl) + said;
	return isRtsp(sessionControl) ? sessionControl : base;
}

/**
 * The URL that sets up a media. Cameras mean the control attribute to be put behind the base, whether that ends with a
 * slash or not, and behind its query: a resolution by RFC 3986 would drop both.
 */
export function controlUrlOf(base: string, control: string): string {
	if (control === "" || control === "*") return base;
	if (isRtsp(control)) {
		// A camera behind a router tells the address that it knows itself by; the base is where it was reached.
		const [origin, path] = [originOf(base), control.slice(originOf(control).length)];
		return origin === "" ? control : origin + path;
	}
	if (control.startsWith("/")) {
		const origin = originOf(base);
		const folder = base
			.slice(origin.length)
			.replace(/[?#].*$/, "")
			.replace(/\/+$/, "");
		if (control.startsWith(`${folder}/`) && folder !== "") return origin + control;
		return base.replace(/\/+$/, "") + control;
	}
	return base.endsWith("/") || control.startsWith("?") ? base + control : `${base}/${control}`;
}

function isRtsp(text: string): boolean {
	return /^rtsps?:\/\/[^/?#]/i.test(text);
}

/** Scheme, host and port; empty when it has none. */
function originOf(url: string): string {
	return /^rtsps?:\/\/[^/?#]+/i.exec(url)?.[0] ?? "";
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		// A password with a percent sign that stands for itself.
		return text;
	}
}
