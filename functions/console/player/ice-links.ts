/** STUN and TURN servers, as an endpoint of WHIP or WHEP tells them by its header `Link` (RFC 9725 §4.6). Pure. */

export type IceServer = { readonly urls: string; readonly username?: string; readonly credential?: string };

/** Longer headers are no list of servers. */
const MAX_HEADER_CHARS = 16_384;
const MAX_SERVERS = 16;

/** The servers of a header `Link`, RFC 8288 §3; other links are passed over. Never throws. */
export function iceServersOf(header: string | null): IceServer[] {
	if (header === null || header.length > MAX_HEADER_CHARS) return [];
	const links = header.matchAll(/<([^<>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))*)/g);
	return [...links].flatMap(([, urls = "", rest = ""]) => serverOf(urls, parametersOf(rest))).slice(0, MAX_SERVERS);
}

function serverOf(urls: string, parameters: ReadonlyMap<string, string>): IceServer[] {
	if (parameters.get("rel") !== "ice-server" || !/^(?:stun|turn)s?:/.test(urls)) return [];
	const username = parameters.get("username");
	const credential = parameters.get("credential");
	return [username === undefined || credential === undefined ? { urls } : { urls, username, credential }];
}

function parametersOf(text: string): Map<string, string> {
	const found = text.matchAll(/;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+))/g);
	return new Map(
		[...found].map(([, name = "", quoted, plain]) => [
			name.toLowerCase(),
			quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? "",
		]),
	);
}
