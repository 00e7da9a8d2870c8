import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { mkdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { hashApiKey } from "#shared/access/api-key.ts";
import { settingsSchema } from "#shared/config/settings.ts";
import { environmentSchema } from "../../functions/settings.ts";
import { newSecrets } from "../../infra/new-secrets.ts";
import { environmentFile } from "../../infra/node/environment-file.ts";
import { NODE_PORTS } from "../../infra/node/ports.ts";
import { nodeDownload } from "../../infra/node/runtime.ts";
import { MAX_USER_DATA_BYTES, type UserDataOptions, userData } from "../../infra/node/user-data.ts";
import { cloudConfig } from "../support/fresh-machine.ts";
import { Program } from "../support/program.ts";
import { tempDir } from "../support/temp-dir.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const OPTIONS: UserDataOptions = {
	root: ROOT,
	release: { url: "https://example.com/sluice.tar.gz", sha256: "ab".repeat(32) },
	environment: { SLUICE_BUCKET: "s3://bucket" },
};
const LOW_PORTS = "/etc/systemd/system/sluice.service.d/low-ports.conf";
const pathsOf = (text: string) => cloudConfig(text).write_files.map((file) => file.path);

describe("user data", () => {
	it("has the very files of the repository, and is small enough for a machine", async () => {
		const text = userData(OPTIONS);
		expect(Buffer.byteLength(text)).toBeLessThan(MAX_USER_DATA_BYTES);
		const contentOf = (name: string) => cloudConfig(text).write_files.find((file) => file.path === name)?.content;
		expect(contentOf("/etc/systemd/system/sluice.service")).toBe(
			await readFile(path.join(ROOT, "infra/node/sluice.service"), "utf8"),
		);
		expect(contentOf("/usr/local/sbin/sluice-install")).toBe(
			await readFile(path.join(ROOT, "infra/node/install.sh"), "utf8"),
		);
		expect(text).not.toContain("{{");
	});

	it("gives a node the power to take low ports only if it has to take one", () => {
		expect(pathsOf(userData(OPTIONS))).not.toContain(LOW_PORTS);
		const low = { ...OPTIONS, environment: { SLUICE_WEBRTCADDRESS: ":443" } };
		expect(pathsOf(userData(low))).toContain(LOW_PORTS);
	});

	it("refuses addresses and checksums that are none, and what no machine takes", () => {
		const bad = (release: UserDataOptions["release"]) => () => userData({ ...OPTIONS, release });
		expect(bad({ url: "file:///etc/passwd", sha256: "ab".repeat(32) })).toThrow(/not an address/);
		expect(bad({ url: "https://x/'; reboot; '", sha256: "ab".repeat(32) })).toThrow(/not an address/);
		expect(bad({ url: "https://x/y", sha256: "ab" })).toThrow(/not a SHA-256/);
		const environment = { SLUICE_BUCKET: "x".repeat(MAX_USER_DATA_BYTES) };
		expect(() => userData({ ...OPTIONS, environment })).toThrow(/a machine takes 16384/);
		expect(() => userData({ ...OPTIONS, environment: { SLUICE_BUCKET: "a\nruncmd: [reboot]" } })).toThrow(/one line/);
	});

	it("names a Node.js for each kind of machine, by the lock file's version and checksum", () => {
		for (const architecture of ["x64", "arm64"] as const) {
			const { url, sha512, version } = nodeDownload(ROOT, architecture);
			expect(url).toBe(
				`https://registry.npmjs.org/node-linux-${architecture}/-/node-linux-${architecture}-${version}.tgz`,
			);
			expect(sha512).toMatch(/^[0-9a-f]{128}$/);
		}
	});
});

describe("new secrets of a stage", () => {
	it("are what the functions take, and let the join key do no more than join", async () => {
		const { adminKey, secrets } = await newSecrets();
		const settings = environmentSchema.parse({
			SLUICE_SIGNING_KEYS: secrets["SigningKeys"],
			SLUICE_STREAM_KEY_SECRETS: secrets["StreamKeySecrets"],
			SLUICE_WAKE_SECRET: secrets["WakeSecret"],
			SLUICE_ADMIN_KEY_HASHES: secrets["AdminKeyHashes"],
			SLUICE_NODE_KEY_HASHES: secrets["NodeKeyHashes"],
		});
		expect(settings.adminKeyHashes).toEqual([await hashApiKey(adminKey)]);
		expect(settings.nodeKeyHashes).toEqual([await hashApiKey(secrets["JoinKey"] ?? "")]);
		// A line of the file that is loaded is in single quotes.
		expect(Object.values(secrets).join("")).not.toMatch(/['\n]/);
		expect((await newSecrets()).adminKey).not.toBe(adminKey);
	});
});

describe("variables in a file", () => {
	it("are read by a shell as they were written", async () => {
		const hard = `a "b" 'c' $HOME \`id\` \\ é #`;
		const script = `${environmentFile({ HARD: hard, PLAIN: "x" })}printf '%s|%s' "$HARD" "$PLAIN"`;
		expect((await new Program("sh", ["-c", script]).succeed()).toString()).toBe(`${hard}|x`);
	});

	it("refuse names and values that would be something else", () => {
		expect(() => environmentFile({ "A B": "x" })).toThrow(/A B is not the name/);
		expect(() => environmentFile({ A: "x\u0000" })).toThrow(/one line/);
	});
});

describe("the ports of a node", () => {
	it("are those that it listens on by default", () => {
		const settings = settingsSchema.parse({});
		const portOf = (address: string) => Number(address.slice(address.lastIndexOf(":") + 1));
		const { acmeAddress, rtspAddress, rtspsAddress, webrtcAddress, rtpAddress, rtcpAddress, webrtcLocalUDPAddress } =
			settings;
		expect(NODE_PORTS.map(({ from, to }) => [from, to])).toEqual([
			[portOf(acmeAddress), portOf(acmeAddress)],
			[portOf(rtspAddress), portOf(rtspAddress)],
			[portOf(rtspsAddress), portOf(rtspsAddress)],
			[portOf(webrtcAddress), portOf(webrtcAddress)],
			// Off by default: see PORT_SETTINGS.
			[portOf(webrtcLocalUDPAddress), portOf(webrtcLocalUDPAddress)],
			[portOf(rtpAddress), portOf(rtcpAddress)],
			[portOf(webrtcLocalUDPAddress), portOf(webrtcLocalUDPAddress)],
		]);
	});
});

describe("the installer", () => {
	/** Runs it for a folder, with downloads that `curl` of the same folder answers from `served`. */
	async function install(folder: string, sha256: string): Promise<Program> {
		const archive = path.join(folder, "served.tgz");
		await mkdir(path.join(folder, "content/top/bin"), { recursive: true });
		await writeFile(path.join(folder, "content/top/bin/node"), "#!/bin/sh\necho v24.0.0\n", { mode: 0o755 });
		await new Program("tar", ["-C", path.join(folder, "content"), "-czf", archive, "top"]).succeed();
		const bytes = await readFile(archive);
		const hash = (name: string) => createHash(name).update(bytes).digest("hex");
		const url = `file://${archive}`;
		await mkdir(path.join(folder, "root/etc/sluice"), { recursive: true });
		await writeFile(
			path.join(folder, "root/etc/sluice/release.env"),
			environmentFile({
				RELEASE_URL: url,
				RELEASE_SHA256: sha256 || hash("sha256"),
				NODE_X64_URL: url,
				NODE_X64_SHA512: hash("sha512"),
				NODE_ARM64_URL: url,
				NODE_ARM64_SHA512: hash("sha512"),
				UNITS: "sluice.service",
			}),
		);
		const env = { SLUICE_ROOT: path.join(folder, "root") };
		return new Program("sh", [path.join(ROOT, "infra/node/install.sh")], { env });
	}

	it("leaves nothing behind of a file whose checksum is another one", async () => {
		await using folder = await tempDir();
		const program = await install(folder.path, "00".repeat(32));
		await expect(program.succeed()).rejects.toThrow(/not the file that was released/);
		expect(readdirSync(path.join(folder.path, "root/opt/sluice")).filter((name) => !name.startsWith("node-"))).toEqual(
			[],
		);
	});

	it("puts a release beside the one before, and leads to the new one in one step", async () => {
		await using folder = await tempDir();
		await mkdir(path.join(folder.path, "root/opt/sluice/release-before"), { recursive: true });
		await symlink("release-before", path.join(folder.path, "root/opt/sluice/current"));
		await (await install(folder.path, "")).succeed();
		const home = path.join(folder.path, "root/opt/sluice");
		const names = readdirSync(home).map((name) => name.replace(/-[0-9a-f]{16}$/, "-<checksum>"));
		expect(names.sort()).toEqual(["current", "node", "node-<checksum>", "release-<checksum>", "release-before"]);
		expect(await readlink(path.join(home, "current"))).toMatch(/^release-[0-9a-f]{16}$/);
		expect((await new Program(path.join(home, "node/bin/node"), []).succeed()).toString()).toBe("v24.0.0\n");
	});
});

describe("the services of a node", () => {
	const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
	const unit = (name: string) => path.join(ROOT, "infra/node", name);

	it.each(["sluice.service", "sluice-agent.service"])("%s has no key that systemd does not know", async (name) => {
		if (!hasSystemd) {
			// Where there is no systemd to ask, at least every line has the form of one.
			const lines = (await readFile(unit(name), "utf8"))
				.split("\n")
				.filter((line) => line !== "" && !line.startsWith("#"));
			expect(lines.filter((line) => !/^(\[[A-Z][a-z]+\]|[A-Z][A-Za-z]+=.*)$/.test(line))).toEqual([]);
			return;
		}
		const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", unit(name)], { encoding: "utf8" });
		expect(stderr.split("\n").filter((line) => /Unknown|Invalid|Failed to parse|ignoring/i.test(line))).toEqual([]);
	});

	it("sluice.service gives the node no power that it does not need", async () => {
		const text = await readFile(unit("sluice.service"), "utf8");
		for (const line of [
			"User=sluice",
			"NoNewPrivileges=yes",
			"CapabilityBoundingSet=",
			"ProtectSystem=strict",
			"ProtectHome=yes",
			"PrivateDevices=yes",
			"Restart=always",
		])
			expect(text.split("\n")).toContain(line);
		expect(text).not.toContain("AmbientCapabilities");
		expect(text).toMatch(/^LimitNOFILE=\d{5,}$/m);
	});
});
