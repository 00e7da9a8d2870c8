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

/** The source without user and password, for logs and the API. */
export function withoutCredentials(source: string): string {
	const shown = source.replace(/^([\w+]+:\/\/)[^/@]*@/, "$1");
	// A token may stand in the query of WHIP and WHEP.
	return /^(?:whip|whep)s?:/i.test(shown) ? shown.replace(/[?#].*$/s, "") : shown;
}
