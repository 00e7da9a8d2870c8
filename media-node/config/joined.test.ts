import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { tempDir } from "../../test/support/temp-dir.ts";
import { adoptJoined, type Joined, readJoined, writeJoined } from "./joined.ts";
import { openNodeKey } from "./node-key.ts";
import { adoptStreamKeySecrets, openSecrets } from "./secrets.ts";

const JOINED: Joined = {
	v: 1,
	control: "https://tv.example",
	nodeId: "edge-1",
	bucket: "s3://media?region=eu-west-1",
	credentials: { accessKeyId: "id", secretAccessKey: "secret" },
	jwksUrl: "https://tv.example/.well-known/jwks.json",
	region: "eu",
	publicHost: "",
};

describe("what a node was told when it joined", () => {
	it("is kept for its own user alone, and read back", async () => {
		await using folder = await tempDir();
		const dataDir = path.join(folder.path, "data");
		expect(await readJoined(dataDir)).toBeNull();
		await writeJoined(dataDir, JOINED);
		await writeJoined(dataDir, JOINED);
		expect(await readJoined(dataDir)).toEqual(JOINED);
		const key = await openNodeKey(dataDir);
		expect(await openNodeKey(dataDir)).toEqual(key);
		for (const file of ["joined.json", "node-key.json"]) {
			expect((await stat(path.join(dataDir, file))).mode & 0o777, file).toBe(0o600);
		}
		await writeFile(path.join(dataDir, "joined.json"), "{}");
		await expect(readJoined(dataDir)).rejects.toMatchObject({ code: "config.invalid" });
	});

	it("counts where a person has said nothing else", () => {
		const environment: Record<string, string | undefined> = { SLUICE_BUCKET: "file:./mine" };
		adoptJoined(JOINED, environment);
		expect(environment).toEqual({
			SLUICE_BUCKET: "file:./mine",
			SLUICE_FUNCTIONS: "no",
			SLUICE_AUTHJWTJWKS: JOINED.jwksUrl,
			SLUICE_NODEHEARTBEAT: "5s",
			SLUICE_NODEREGION: "eu",
			AWS_ACCESS_KEY_ID: "id",
			AWS_SECRET_ACCESS_KEY: "secret",
		});
		const own: Record<string, string | undefined> = { AWS_PROFILE: "mine" };
		adoptJoined(JOINED, own);
		expect(Object.keys(own).filter((name) => name.startsWith("AWS_"))).toEqual(["AWS_PROFILE"]);
	});

	it("brings the secrets of stream keys, beside the node's own, once", async () => {
		await using folder = await tempDir();
		const { secrets } = await openSecrets(folder.path);
		const theirs = Buffer.alloc(32, 9).toString("base64url");
		await adoptStreamKeySecrets(folder.path, [theirs]);
		await adoptStreamKeySecrets(folder.path, [theirs]);
		const after = (await openSecrets(folder.path)).secrets;
		expect(after).toEqual({ ...secrets, streamKeySecrets: [theirs, ...secrets.streamKeySecrets] });
		expect((await stat(path.join(folder.path, "secrets.json"))).mode & 0o777).toBe(0o600);
		expect(await readFile(path.join(folder.path, "secrets.json"), "utf8")).toContain(theirs);
	});
});
