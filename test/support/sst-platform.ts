import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { Program } from "./program.ts";
import { tempDir } from "./temp-dir.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const INSTALL_MS = 300_000;

/** SST's own sources, and the providers' packages that they import. */
export const SST_PLATFORM = path.join(ROOT, ".sst/platform");

/** Without these the `sst` program looks for an engine to deploy with, which nobody needs to look at a plan. */
const WITHOUT_ENGINE = {
	SST_SKIP_DEPENDENCY_CHECK: "1",
	SST_TELEMETRY_DISABLED: "1",
	SST_NO_BUN: "1",
	SST_STAGE: "test",
	DO_NOT_TRACK: "1",
	CI: "true",
};

/**
 * Makes sure that `.sst/platform` is there, of the version that package.json names: `sst install` unpacks it, and gets the
 * providers' packages from the npm registry, once (half a minute).
 */
export async function ensureSstPlatform(): Promise<void> {
	if (await isInstalled()) return;
	// In a folder of its own, so that a run that is stopped leaves nothing half done.
	await using folder = await tempDir();
	await cp(path.join(ROOT, "sst.config.ts"), path.join(folder.path, "sst.config.ts"));
	for (const name of ["package.json", "infra", "functions", "shared", "node_modules"])
		await symlink(path.join(ROOT, name), path.join(folder.path, name));
	const sst = path.join(ROOT, "node_modules/.bin/sst");
	await new Program(sst, ["install"], { cwd: folder.path, env: WITHOUT_ENGINE }).succeed(INSTALL_MS);
	await mkdir(path.dirname(SST_PLATFORM), { recursive: true });
	await rm(SST_PLATFORM, { recursive: true, force: true });
	const draft = `${SST_PLATFORM}.${process.pid}`;
	await cp(path.join(folder.path, ".sst/platform"), draft, { recursive: true, verbatimSymlinks: true });
	await rename(draft, SST_PLATFORM);
}

async function isInstalled(): Promise<boolean> {
	const file = path.join(SST_PLATFORM, "version");
	if (!existsSync(file) || !existsSync(path.join(SST_PLATFORM, "node_modules/@pulumi/aws"))) return false;
	const { devDependencies } = JSON.parse(await readFile(path.join(ROOT, "package.json"), "utf8")) as {
		devDependencies: { sst: string };
	};
	return (await readFile(file, "utf8")).trim() === devDependencies.sst;
}
