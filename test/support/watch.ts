import { createHash } from "node:crypto";

export type Watched = {
	/** Media sequence numbers of the first and last listed segment. */
	readonly first: number;
	readonly last: number;
	readonly discontinuities: number;
	/** SHA-256 of each listed object, by its name in the playlist. */
	readonly hashes: ReadonlyMap<string, string>;
};

/** Reads the first media playlist behind a multivariant one and every object that it lists; throws if one cannot be read. */
export async function everySegmentIsReadable(url: string): Promise<Watched> {
	const master = await text(url);
	const media = master.split("\n").find((line) => line !== "" && !line.startsWith("#"));
	if (media === undefined) throw new Error(`No variant in:\n${master}`);
	const playlist = await text(new URL(media, url).href);
	const lines = playlist.split("\n");
	const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1]);
	const files = lines.filter((line) => line !== "" && !line.startsWith("#"));
	const inits = [...playlist.matchAll(/#EXT-X-MAP:URI="([^"]+)"/g)].map((match) => match[1] ?? "");
	const hashes = new Map<string, string>();
	for (const file of [...inits, ...files]) {
		const response = await fetch(new URL(file, url));
		if (response.status !== 200) throw new Error(`${file} is listed, but reading it gives ${response.status}`);
		hashes.set(
			file,
			createHash("sha256")
				.update(Buffer.from(await response.arrayBuffer()))
				.digest("hex"),
		);
	}
	const discontinuities =
		lines.filter((line) => line === "#EXT-X-DISCONTINUITY").length +
		Number(/#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)/.exec(playlist)?.[1] ?? 0);
	return { first, last: first + files.length - 1, discontinuities, hashes };
}

async function text(url: string): Promise<string> {
	const response = await fetch(url);
	if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
	return response.text();
}
