/** Addresses of playback: `/{token}/{path}/index.m3u8`, with the stretch of time that is wanted. Pure. */

export type Stretch = {
	/** Milliseconds since the Unix epoch. */
	readonly startMs?: number | undefined;
	/** Milliseconds since the Unix epoch; without it the playlist goes on to the live edge. */
	readonly endMs?: number | undefined;
};

/** Where the functions serve a path over HLS. `origin` may end in a slash. */
export function hlsAddress(origin: string, token: string, path: string, { startMs, endMs }: Stretch = {}): string {
	const parts = [token, ...path.split("/")].map(encodeURIComponent);
	const address = `${origin.replace(/\/+$/, "")}/${parts.join("/")}/index.m3u8`;
	const query = [
		...(startMs === undefined ? [] : [`start=${instant(startMs)}`]),
		...(endMs === undefined ? [] : [`end=${instant(endMs)}`]),
	];
	return query.length === 0 ? address : `${address}?${query.join("&")}`;
}

/** RFC 3339, to the millisecond. Its characters need no encoding in a query (RFC 3986 §3.4). */
function instant(ms: number): string {
	return new Date(Math.round(ms)).toISOString();
}
