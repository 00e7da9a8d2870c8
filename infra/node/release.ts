/**
 * Makes the release file of a node: the sources and the packages that they need, as package-lock.json has them, in one
 * archive. The same sources give the same bytes, so its checksum names a release.
 *
 * Usage: npm run release [-- <folder>]
 */

import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { spawnChecked } from "./spawn-checked.ts";

export type Release = {
	readonly version: string;
	readonly file: string;
	/** In hexadecimal. */
	readonly sha256: string;
	readonly bytes: number;
};

/** What a node runs. Tests, type descriptions, the console and all that is for the cloud's side stay out. */
const FOLDERS = ["media-node", "functions", "shared", "infra/node"] as const;
const FILES = ["package.json", "package-lock.json", "sluice.mjs", "setup.mjs", "LICENSE"] as const;
const LEFT_OUT = /(\.test\.ts|\.d\.ts|tsconfig[^/]*\.json|\.tsbuildinfo|\/functions\/console)$/;

type Locked = { readonly version?: string; readonly dev?: true; readonly optional?: true; readonly devOptional?: true };
type Lock = { readonly packages: Readonly<Record<string, Locked>> };

/**
 * Writes `sluice-<version>.tar.gz` and its `.sha256` into `folder`.
 * @throws Error if a package is missing, or is not of the version that the lock file names
 */
export async function makeRelease(root: string, folder: string): Promise<Release> {
	const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
	const stage = await mkdtemp(path.join(os.tmpdir(), "sluice-release-"));
	try {
		const name = `sluice-${version}`;
		const content = path.join(stage, name);
		await copySources(root, content);
		await copyPackages(root, content);
		await mkdir(folder, { recursive: true });
		const file = path.join(folder, `${name}.tar.gz`);
		await archive(stage, name, file);
		const { sha256, bytes } = await digest(file);
		await writeFile(`${file}.sha256`, `${sha256}  ${name}.tar.gz\n`);
		return { version, file, sha256, bytes };
	} finally {
		await rm(stage, { recursive: true, force: true });
	}
}

async function copySources(root: string, content: string): Promise<void> {
	await mkdir(content, { recursive: true });
	for (const file of FILES) await copyFile(path.join(root, file), path.join(content, file));
	for (const folder of FOLDERS)
		await cp(path.join(root, folder), path.join(content, folder), {
			recursive: true,
			filter: (source) => !LEFT_OUT.test(source),
		});
}

async function copyPackages(root: string, content: string): Promise<void> {
	const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as Lock;
	for (const [place, locked] of Object.entries(packages)) {
		if (place === "" || locked.dev || locked.optional || locked.devOptional) continue;
		const from = path.join(root, place);
		const { version } = JSON.parse(readFileSync(path.join(from, "package.json"), "utf8")) as { version: string };
		if (version !== locked.version)
			throw new Error(`${place} is ${version}, and package-lock.json says ${locked.version}: run npm ci`);
		await cp(from, path.join(content, place), {
			recursive: true,
			// A package inside another one has a line of its own in the lock file.
			filter: (source) => !path.relative(from, source).split(path.sep).includes("node_modules") && !isForPeople(source),
		});
	}
}

/** Maps and type descriptions are half of what packages bring. */
function isForPeople(file: string): boolean {
	return /\.(map|d\.ts|d\.mts|d\.cts|markdown)$/.test(file);
}

/** Without the times, owners and order of this machine's files. */
async function archive(stage: string, name: string, file: string): Promise<void> {
	const draft = `${file}.${process.pid}.draft`;
	await spawnChecked("chmod", ["-R", "u=rwX,go=rX", path.join(stage, name)]);
	const order = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];
	await spawnChecked("tar", [...order, "--use-compress-program=gzip -9n", "-C", stage, "-cf", draft, name]);
	await rename(draft, file);
}

async function digest(file: string): Promise<{ sha256: string; bytes: number }> {
	const hash = createHash("sha256");
	let bytes = 0;
	await pipeline(createReadStream(file), async (chunks: AsyncIterable<Uint8Array>) => {
		for await (const chunk of chunks) {
			hash.update(chunk);
			bytes += chunk.length;
		}
	});
	return { sha256: hash.digest("hex"), bytes };
}

if (import.meta.main) {
	const root = path.resolve(import.meta.dirname, "../..");
	const { file, sha256, bytes } = await makeRelease(root, path.resolve(process.argv[2] ?? path.join(root, "dist")));
	process.stdout.write(`${file}\n${(bytes / 2 ** 20).toFixed(1)} MiB, SHA-256 ${sha256}\n`);
}
