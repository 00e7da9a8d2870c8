/** The pages for browsers: small files beside this one, read once. */

import { readFile } from "node:fs/promises";
import { refusal, type WhipAnswer } from "./whip-answer.ts";

const TYPES: Readonly<Record<string, string>> = {
	html: "text/html; charset=utf-8",
	js: "text/javascript; charset=utf-8",
	css: "text/css; charset=utf-8",
};

const FILES = ["player.html", "player.js", "publisher.html", "publisher.js", "connection.js", "style.css"] as const;

/**
 * Nothing from elsewhere is loaded, and nothing that stands in the page itself is run. Other sites may put the pages
 * into frames, as they do with players.
 */
const POLICY =
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self' blob:; " +
	"base-uri 'none'; form-action 'none'";

export class Pages {
	readonly #files: ReadonlyMap<string, string>;

	private constructor(files: ReadonlyMap<string, string>) {
		this.#files = files;
	}

	static async open(): Promise<Pages> {
		const read = async (name: string) =>
			[name, await readFile(new URL(`pages/${name}`, import.meta.url), "utf8")] as const;
		return new Pages(new Map(await Promise.all(FILES.map(read))));
	}

	/** The answer to a request for a file. */
	answer(name: string): WhipAnswer {
		const body = this.#files.get(name);
		if (body === undefined) return refusal("http.not_found", "There is nothing at this address");
		const headers = {
			"content-type": TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream",
			"cache-control": "no-cache",
			"content-security-policy": POLICY,
			"referrer-policy": "no-referrer",
			"x-content-type-options": "nosniff",
		};
		return { status: 200, headers, body };
	}
}
