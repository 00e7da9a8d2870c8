/** Which origins browsers may call from: the Fetch standard's CORS, with the wildcards of MediaMTX. Pure. */

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/**
 * What `Access-Control-Allow-Origin` says to a request of `origin` (empty: none was sent); `null`: nothing. Allowed are
 * origins such as `https://example.com`; `*.` in one stands for any subdomains or none, other `*` for any text, and `*`
 * alone for every origin.
 */
export function allowedOrigin(origin: string, allowOrigins: readonly string[]): string | null {
	const asked = parseOrigin(origin);
	if (origin !== "" && asked === null) return null;
	if (asked !== null && allowOrigins.some((allowed) => allowed !== "*" && matches(allowed, asked))) return origin;
	return allowOrigins.includes("*") ? "*" : null;
}

type Origin = { readonly scheme: string; readonly host: string; readonly port: string };

const ORIGIN = /^([a-z][a-z0-9+.-]*:)\/\/(\[[0-9a-f:.]+\]|[^/?#:@\s]*)(?::([\d*]{1,5}))?\/?$/i;

function parseOrigin(text: string): Origin | null {
	const [, scheme, host, port] = ORIGIN.exec(text.slice(0, 512)) ?? [];
	if (scheme === undefined || host === undefined) return null;
	const lower = scheme.toLowerCase();
	return { scheme: lower, host: host.toLowerCase(), port: port ?? DEFAULT_PORTS[lower] ?? "" };
}

function matches(allowed: string, asked: Origin): boolean {
	const pattern = parseOrigin(allowed);
	if (pattern === null || pattern.scheme !== asked.scheme) return false;
	if (pattern.port !== "*" && pattern.port !== asked.port) return false;
	return wildcard(pattern.host).test(asked.host);
}

function wildcard(pattern: string): RegExp {
	const source = pattern
		.split(/(\*\.|\*)/)
		.map((part) =>
			part === "*." ? "(?:[^/]*\\.)?" : part === "*" ? "[^/]*" : part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"),
		)
		.join("");
	return new RegExp(`^${source}$`);
}
