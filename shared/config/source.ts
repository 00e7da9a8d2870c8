/** The values of `source`: what a path's stream may come from. */

/** Sources that this version pulls from or takes in. */
const BUILT = [
	"rtsp://",
	"rtsps://",
	"rtsp+http://",
	"rtsps+http://",
	"rtsp+ws://",
	"rtsps+ws://",
	"udp+rtp://",
	"udp+mpegts://",
	"udp://",
	"whep://",
	"wheps://",
] as const;

/** Sources that MediaMTX knows, and this version does not serve yet. */
const NOT_BUILT = [
	"rtmp://",
	"rtmps://",
	"http://",
	"https://",
	"unix+mpegts://",
	"unix+rtp://",
	"srt://",
	"moqt://",
] as const;

const WORDS: ReadonlySet<string> = new Set(["publisher", "redirect", "file", "rpiCamera"]);
/** Without a host of their own. */
const LOCAL: ReadonlySet<string> = new Set(["unix+mpegts://", "unix+rtp://"]);
const NEEDS_PORT: ReadonlySet<string> = new Set(["udp+rtp://", "udp+mpegts://", "udp://"]);

/** The scheme of a source with its `://`; `null` for a word, or for what is no source. */
export function sourceScheme(source: string): string | null {
	return [...BUILT, ...NOT_BUILT].find((scheme) => source.toLowerCase().startsWith(scheme)) ?? null;
}

/** What is wrong with a source, as the end of a sentence; `null` when nothing is. */
export function sourceFault(source: string): string | null {
	if (WORDS.has(source)) return null;
	const scheme = sourceScheme(source);
	if (scheme === null) {
		return `must be publisher, redirect, file, rpiCamera, or a URL that begins with one of ${[...BUILT, ...NOT_BUILT].join(" ")}`;
	}
	if (LOCAL.has(scheme)) return null;
	const rest = placeholders(source.slice(scheme.length));
	const url = URL.parse(`http://${rest}`);
	if (url === null || url.hostname === "") return "must be a URL with a host, such as rtsp://user:pass@host:554/path";
	if ((url.username === "") !== (url.password === "")) return "must have both a user name and a password, or neither";
	if (NEEDS_PORT.has(scheme) && !/^(?:\[[^\]]+\]|[^/:?]+):\d+/.test(rest)) return "must say the port";
	return null;
}

/** Says whether this version can do something with a source. */
export function isSourceBuilt(source: string): boolean {
	if (source === "rpiCamera") return false;
	const scheme = sourceScheme(source);
	return scheme === null || (BUILT as readonly string[]).includes(scheme);
}

/** Says whether this version can send a stream on to a destination. */
export function isForwardBuilt(dest: string): boolean {
	return /^(?:rtsp|whip)s?:\/\//.test(dest);
}

/** Says whether a source is one that the node connects to, or listens for, by itself. */
export function isStaticSource(source: string): boolean {
	return source !== "publisher" && source !== "redirect";
}

/** With something valid where variables stand. */
function placeholders(text: string): string {
	return text.replaceAll(/:\$(?:\{G\d+\}|G\d+)/g, ":554").replaceAll(/\$\{?(?:G\d+|MTX_\w+)\}?/g, "x");
}

/** Names of parameters whose values are secret, in the query of a URL or, as some cameras have them, in its path. */
export const SECRET_PARAMETERS =
	"pass|passwd|password|passphrase|pwd|psw|token|jwt|secret|key|sig|signature|auth|access_?token|api_?key";

/** `name=value` within a path, such as `/user=admin&password=x&channel=1`: with no `&`, the value goes to the end. */
const SECRET_IN_PATH = new RegExp(`(?<![a-z0-9])(${SECRET_PARAMETERS})=[^&]*`, "gi");

/**
 * The source, or another address, without what may be secret, for logs and messages: user, password, query and key
 * are left out, and the values of secret parameters within the path are replaced.
 */
export function withoutCredentials(source: string): string {
	const [, scheme = "", rest = ""] = /^([\w+.-]+:\/\/)?(.*)$/s.exec(source) ?? [];
	if (scheme === "") {
		// What was meant to be a URL, and is none, may hold a password all the same.
		const hasUser = rest.lastIndexOf(":", rest.indexOf("@")) !== -1 && rest.includes("@");
		return (hasUser ? `…${rest.slice(rest.lastIndexOf("@"))}` : rest).replace(SECRET_IN_PATH, "$1=…");
	}
	const [shown = ""] = /^[^?#]*/.exec(withoutUser(rest)) ?? [];
	return `${scheme}${shown.replace(SECRET_IN_PATH, "$1=…")}${rest.includes("?") ? "?…" : ""}`;
}

/** From the host on. A password may hold what should have been escaped: the `@` before the host is the last one. */
function withoutUser(rest: string): string {
	const [authority = ""] = /^[^/?#]*/.exec(rest) ?? [];
	const isWhole = authority.includes("@") || /^(?:\[[^\]]*\]|[^:]*)(?::(?:\d*|\$.*))?$/.test(authority);
	return rest.slice((isWhole ? authority : rest).lastIndexOf("@") + 1);
}
