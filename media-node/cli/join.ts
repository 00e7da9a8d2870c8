import { readFile } from "node:fs/promises";
import { systemClock } from "#shared/clock.ts";
import { nodeIdSchema, regionSchema } from "#shared/nodes/node-id.ts";
import { publicNodeKey } from "#shared/nodes/node-key.ts";
import { hasCode, InputError } from "#shared/problem.ts";
import { type Joined, readJoined, writeJoined } from "../config/joined.ts";
import { loadSettings } from "../config/load-settings.ts";
import { openNodeKey } from "../config/node-key.ts";
import { adoptStreamKeySecrets, openSecrets } from "../config/secrets.ts";
import { requestJoin } from "../control/join-request.ts";

export type JoinOptions = {
	readonly control: string;
	/** A token or API key, or `@` and the name of a file that holds it. */
	readonly key: string;
	readonly region: string;
	readonly publicHost: string;
	readonly replace?: true;
	readonly config?: string;
};

/** Makes this machine a node of a control plane; its keys and what it is told go to the data folder. */
export async function join(options: JoinOptions): Promise<void> {
	const control = controlOf(options.control);
	const { settings } = await loadSettings(options.config);
	const { secrets } = await openSecrets(settings.dataDir);
	const id = settings.nodeId ?? secrets.nodeId;
	expect("nodeId", nodeIdSchema.safeParse(id).success);
	expect("--region", regionSchema.safeParse(options.region).success);
	const key = publicNodeKey(await openNodeKey(settings.dataDir));
	const before = await readJoined(settings.dataDir);
	try {
		const token = await keyOf(options.key);
		const answer = await requestJoin({
			control,
			token,
			id,
			key,
			replace: options.replace === true,
			fetch,
			clock: systemClock,
		});
		const { bucket, credentials, jwksUrl, streamKeySecrets } = answer;
		await adoptStreamKeySecrets(settings.dataDir, streamKeySecrets);
		const { region, publicHost } = options;
		const joined: Joined = { v: 1, control, nodeId: id, bucket, credentials, jwksUrl, region, publicHost };
		await writeJoined(settings.dataDir, joined);
		console.error(`Node ${id} has joined ${control}`);
	} catch (error) {
		// After a reboot the network may come later than this: what was told before still holds.
		if (!hasCode(error, "store.unavailable") || before?.control !== control) throw error;
		console.error(`warning: ${error.message}. This node joined before, and serves with what it was told then`);
	}
}

function controlOf(text: string): string {
	const url = URL.parse(text);
	if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "") {
		throw new InputError("input.invalid", "--control must be the address of the functions, such as https://tv.example");
	}
	const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
	if (url.protocol === "http:" && !isLocal) {
		console.error(
			"warning: over http:// everybody on the way can read the key; use https:// outside of your own network",
		);
	}
	return text.replace(/\/+$/, "");
}

async function keyOf(text: string): Promise<string> {
	if (!text.startsWith("@")) return text;
	const file = text.slice(1);
	const content = await readFile(file, "utf8").catch((cause: unknown) => {
		throw new InputError("input.invalid", `Cannot read the key in ${file}`, { cause });
	});
	return content.trim();
}

function expect(what: string, isRight: boolean): void {
	if (!isRight) throw new InputError("input.invalid", `${what} must be letters, digits, _ . or -, and short`);
}
