/** The Node.js that nodes run on: the one that this project is locked to and tested with, from the npm registry. */

import { readFileSync } from "node:fs";
import path from "node:path";

export type Architecture = "x64" | "arm64";

/** A file to download, and what it must be. */
export type Download = {
	readonly url: string;
	/** In hexadecimal. */
	readonly sha512: string;
};

type Lock = { readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>> };

/**
 * Where the Node.js of an architecture is, and its checksum, as package-lock.json has them.
 * @throws Error if the lock file does not name it
 */
export function nodeDownload(root: string, architecture: Architecture): Download & { readonly version: string } {
	const file = path.join(root, "package-lock.json");
	const name = `node-linux-${architecture}`;
	const { version, integrity } =
		(JSON.parse(readFileSync(file, "utf8")) as Lock).packages[`node_modules/${name}`] ?? {};
	const base64 = integrity?.match(/^sha512-([A-Za-z0-9+/]{86}==)$/)?.[1];
	if (version === undefined || base64 === undefined)
		throw new Error(`${file} has no ${name} with a SHA-512: run npm install, and commit the lock file`);
	return {
		version,
		url: `https://registry.npmjs.org/${name}/-/${name}-${version}.tgz`,
		sha512: Buffer.from(base64, "base64").toString("hex"),
	};
}
