import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { defaultConfigFile } from "../../media-node/config/default-file.ts";
import { freePort } from "../support/free-port.ts";
import { Program } from "../support/program.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";

const LAUNCHER = path.resolve(import.meta.dirname, "../../sluice.mjs");

async function sluice(
	cwd: string,
	args: readonly string[],
	input?: string,
): Promise<{ code: number | null; out: string; err: string }> {
	const program = new Program(process.execPath, [LAUNCHER, ...args], {
		cwd,
		...(input === undefined ? {} : { input: Buffer.from(input) }),
	});
	const { code } = await program.exited;
	return { code, out: program.output.toString(), err: program.errors };
}

describe("the sluice program", () => {
	it("has help and a version, and exits with 2 for wrong arguments", async () => {
		await using folder = await tempDir();
		const { version } = JSON.parse(await readFile(path.resolve(import.meta.dirname, "../../package.json"), "utf8")) as {
			version: string;
		};
		expect(await sluice(folder.path, ["--version"])).toMatchObject({ code: 0, out: `${version}\n` });
		const help = await sluice(folder.path, ["--help"]);
		expect(help.code).toBe(0);
		for (const command of ["start", "check", "token", "hash-password"]) expect(help.out).toContain(command);
		expect((await sluice(folder.path, ["strat"])).err).toContain("Did you mean start?");
		for (const wrong of [
			["strat"],
			["token"],
			["token", "--path", "cam01"],
			["token", "--path", "../x", "--read"],
			["token", "--admin", "--expires", "soon"],
			["token", "--admin", "--path", "cam01", "--read"],
		]) {
			expect((await sluice(folder.path, wrong)).code, wrong.join(" ")).toBe(2);
		}
	});

	it("checks a file, and names every fault with line, column, key and what is allowed", async () => {
		await using folder = await tempDir();
		await writeFile(path.join(folder.path, "good.yml"), defaultConfigFile());
		await writeFile(path.join(folder.path, "bad.yml"), "logLevel: loud\npaths:\n  cam01:\n    hlsSegmentCount: 1\n");
		expect(await sluice(folder.path, ["check", "good.yml"])).toMatchObject({ code: 0 });
		const { code, err } = await sluice(folder.path, ["check", "bad.yml"]);
		expect(code).toBe(2);
		expect(err).toMatch(/^bad\.yml:1:1: logLevel: .*"debug"/m);
		expect(err).toMatch(/^bad\.yml:4:5: paths\.cam01\.hlsSegmentCount: .*>=3/m);
		expect((await sluice(folder.path, ["check", "none.yml"])).code).toBe(2);
	});

	it("checks the file that a start would take, and neither checks nor makes tokens by writing one", async () => {
		await using folder = await tempDir();
		expect(await sluice(folder.path, ["check"])).toMatchObject({
			code: 2,
			err: expect.stringContaining("mediamtx.yml"),
		});
		const { code, err } = await sluice(folder.path, ["token", "--path", "cam01", "--read"]);
		expect(code).toBe(2);
		expect(err).toMatch(/^There are no keys in .*--config\n$/);
		expect(await readdir(folder.path)).toEqual([]);
		await writeFile(path.join(folder.path, "mediamtx.yml"), "paths:\n  cam01:\n");
		expect(await sluice(folder.path, ["check"])).toMatchObject({
			code: 0,
			out: expect.stringMatching(/^mediamtx\.yml is/),
		});
		expect(await readdir(folder.path)).toEqual(["mediamtx.yml"]);
	});

	it("hashes a password so that the hash admits it, and never prints it", async () => {
		await using folder = await tempDir();
		const { code, out } = await sluice(folder.path, ["hash-password"], "correct horse\n");
		expect(code).toBe(0);
		expect(out).toMatch(/^argon2:\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[^$]+\$[^$]+\n$/);
		expect(out).not.toContain("horse");
		expect((await sluice(folder.path, ["hash-password"], "")).code).toBe(2);
	});

	it("says in one sentence that a port is in use: the port, the key and the process", async () => {
		await using folder = await tempDir();
		const port = await freePort();
		const squatter = net.createServer().listen(port, "127.0.0.1");
		try {
			await writeFile(
				path.join(folder.path, "sluice.yml"),
				`rtspAddress: 127.0.0.1:${port}\nfunctionsAddress: 127.0.0.1:0\nmetrics: false\nwebrtc: false\nrtspTransports: [tcp]\n`,
			);
			const { code, err } = await sluice(folder.path, ["start"]);
			expect(code).toBe(1);
			expect(err.trim().split("\n")).toHaveLength(1);
			expect(err).toContain(String(port));
			expect(err).toContain("rtspAddress");
			expect(err).toMatch(new RegExp(`\\(pid ${process.pid}\\)`));
		} finally {
			await new Promise((resolve) => squatter.close(resolve));
		}
	});

	it("writes a commented sluice.yml and private keys at its first start, and an admin token only then", async () => {
		await using folder = await tempDir();
		await mkdir(path.join(folder.path, "data"));
		await using first = await Sluice.start({ folder: folder.path });
		expect(await first.program.says("Admin token")).toMatch(/\neyJ[\w-]+\.[\w-]+\.[\w-]+\n/);
		await first.stop();
		expect(first.program.child.exitCode).toBe(0);
		await using second = await Sluice.start({ folder: folder.path }, first.ports);
		expect(second.program.output.toString()).not.toMatch(/eyJ/);
	});
});
