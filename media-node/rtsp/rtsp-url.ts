/** RTSP URLs: which path a request is about, and which of its media. */

import { type PathName, parsePathName } from "#shared/path-name.ts";
import { ProtocolError } from "#shared/problem.ts";

export const MAX_URL_LENGTH = 8 * 1024;

export type RtspUrl = {
	/** Without slashes at the ends, percent-decoded; may still end with a media's control. */
	readonly pathText: string;
	/** `rtsp://host:port` as the client wrote it. */
	readonly origin: string;
	readonly query: URLSearchParams;
	readonly user: string;
	readonly password: string;
};

/** The control attribute that we give media `index`; a reader sends it back in SETUP. */
export function controlOf(index: number): string {
	return `trackID=${index}`;
}

const OUR_CONTROL = /\/trackID=(\d{1,3})\/?$/;

/** @throws ProtocolError `rtsp.malformed` */
export function parseRtspUrl(text: string): RtspUrl {
	const match = text.length > MAX_URL_LENGTH ? null : /^(rtsps?:\/\/[^/?#]+)/i.exec(text);
	if (match === null) throw malformed();
	let url: URL;
	try {
		url = new URL(text);
		return {
			pathText: decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, ""),
			origin: `${url.protocol}//${url.host}`,
			// Some clients end every URL with a slash, also behind a query.
			query: new URLSearchParams(url.search.replace(/\/+$/, "")),
			user: decodeURIComponent(url.username),
			password: decodeURIComponent(url.password),
		};
	} catch {
		// Both URL and decodeURIComponent say no by throwing an error of their own.
		throw malformed();
	}
}

/** The path of a DESCRIBE or ANNOUNCE. @throws InputError `path.name` */
export function pathOf({ pathText }: RtspUrl): PathName {
	return parsePathName(pathText);
}

/** The path of a SETUP that stands alone, without the media's control. @throws InputError `path.name` */
export function pathOfSetup({ pathText }: RtspUrl): PathName {
	return parsePathName(`/${pathText}`.replace(OUR_CONTROL, "").slice(1));
}

/** Which of our media a reader's SETUP is about; `null` when the URL does not say. */
export function mediaIndexOf(url: string): number | null {
	const match = OUR_CONTROL.exec(url);
	return match === null ? null : Number(match[1]);
}

/**
 * Which media of an announced description a publisher's SETUP is about; -1 for none. A control attribute may be a whole
 * URL or the end of one. RFC 2326 §C.1.1.
 */
export function announcedIndexOf(url: string, controls: readonly string[]): number {
	const asked = normalized(url);
	const whole = controls.findIndex((control) => control !== "" && normalized(control) === asked);
	if (whole !== -1) return whole;
	const end = controls.findIndex((control) => control !== "" && asked.endsWith(`/${normalized(control)}`));
	if (end !== -1) return end;
	return controls.length === 1 ? 0 : -1;
}

/** Without credentials and trailing slashes. */
function normalized(url: string): string {
	return url.replace(/^(rtsps?:\/\/)[^/@]*@/i, "$1").replace(/\/+$/, "");
}

function malformed(): ProtocolError {
	return new ProtocolError("rtsp.malformed", "The URL of the request is not an rtsp:// URL of at most 8 kB");
}
