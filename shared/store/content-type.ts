const CONTENT_TYPES: Readonly<Record<string, string>> = {
	json: "application/json",
	m3u8: "application/vnd.apple.mpegurl",
	m4s: "video/iso.segment",
	mp4: "video/mp4",
	ts: "video/mp2t",
	txt: "text/plain; charset=utf-8",
};

/** The content type that the end of an object's key tells, or `null`. */
export function contentTypeOf(key: string): string | null {
	const extension = /\.([a-z0-9]+)$/.exec(key)?.[1];
	return (extension !== undefined && Object.hasOwn(CONTENT_TYPES, extension) && CONTENT_TYPES[extension]) || null;
}
