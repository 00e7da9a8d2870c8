/**
 * The part of a node that knows AWS. `main.ts secrets` writes the secrets of the node, and what the machine knows of
 * itself, before the node starts; `main.ts agent` speaks for it in its auto-scaling group and sends its log on, until it is stopped.
 *
 * Environment: AWS_GROUP, AWS_LOG_GROUP, AWS_SECRETS (a path of SSM parameters), METRICS_URL.
 */

import { execFile, spawn } from "node:child_process";
import { chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { systemClock } from "#shared/clock.ts";
import { environmentFile } from "../environment-file.ts";
import { Agent, LOOK_MS } from "./agent.ts";
import { Group } from "./group.ts";
import { Instance } from "./instance.ts";
import { LogShipper } from "./log-shipper.ts";
import { readNodeSecrets } from "./node-secrets.ts";
import { nodeStatus } from "./node-status.ts";

/** Read by the service: variables for all, and a file for each secret, which the node's own user alone can read. */
const RUN_FOLDER = "/run/sluice";
const NODE_USER = "sluice";
const UNIT = "sluice.service";
/** Lines are sent together: each call costs as much as its bytes. */
const SHIP_MS = 10_000;

const instance = new Instance(fetch, () => systemClock.monotonic());

async function writeSecrets(): Promise<void> {
	const { region, instanceId } = await instance.identity();
	const credentials = await instance.credentials();
	const place = needed("AWS_SECRETS");
	const secrets = await readNodeSecrets(place, region, credentials, systemClock.now(), fetch);
	const address = await instance.publicAddress();
	const variables = {
		AWS_REGION: region,
		SLUICE_NODEID: instanceId,
		SLUICE_NODEREGION: region,
		...(address === null ? {} : { SLUICE_NODEPUBLICHOST: address, SLUICE_WEBRTCADDITIONALHOSTS: address }),
	};
	await mkdir(RUN_FOLDER, { recursive: true, mode: 0o755 });
	await replace("machine.env", environmentFile(variables));
	for (const [name, value] of Object.entries(secrets)) await replace(secretFile(name), value, await userId());
}

/** Of a parameter's name nothing but letters, digits and dashes may become a file's. */
function secretFile(name: string): string {
	if (!/^[a-z0-9-]{1,64}$/.test(name)) throw new Error(`The parameter ${name} cannot be a file: use a-z, 0-9 and -`);
	return name;
}

async function userId(): Promise<number> {
	return Number((await promisify(execFile)("id", ["-u", NODE_USER])).stdout);
}

/** Writes a file of {@link RUN_FOLDER} whole, for one user alone. */
async function replace(name: string, text: string, owner = 0): Promise<void> {
	const file = path.join(RUN_FOLDER, name);
	await rm(`${file}.new`, { force: true });
	await writeFile(`${file}.new`, text, { mode: 0o400, flag: "wx" });
	await chown(`${file}.new`, owner, owner);
	await rename(`${file}.new`, file);
}

async function runAgent(): Promise<void> {
	const { region, instanceId } = await instance.identity();
	const credentials = () => instance.credentials();
	const caller = { region, credentials, now: () => systemClock.now(), fetch };
	const shipper = new LogShipper({ group: needed("AWS_LOG_GROUP"), stream: instanceId }, caller);
	const agent = new Agent({
		group: new Group(needed("AWS_GROUP"), caller),
		instanceId,
		targetState: () => instance.targetState(),
		node: () => nodeStatus(process.env["METRICS_URL"] ?? "http://127.0.0.1:9998/metrics", fetch),
		stopNode: async () => void (await promisify(execFile)("systemctl", ["stop", UNIT])),
		clock: systemClock,
		log: say,
	});
	const stop = new AbortController();
	for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
	const journal = spawn("journalctl", ["--follow", "--boot", "--output=json", `--unit=${UNIT}`], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	journal.once("error", (error) => say(`cannot follow the journal: ${error.message}`));
	createInterface({ input: journal.stdout }).on("line", (line) => shipper.add(line));
	const ship = () => shipper.flush().catch((error: unknown) => say(`the log waits: ${messageOf(error)}`));
	using _shipping = systemClock.every(SHIP_MS, () => void ship());
	while (!stop.signal.aborted) {
		await agent.look();
		await systemClock.sleep(LOOK_MS, stop.signal).catch(() => undefined);
	}
	journal.kill();
	await ship();
}

function needed(name: string): string {
	const value = process.env[name];
	if (value === undefined || value === "") throw new Error(`The variable ${name} is not set: see infra/aws/nodes.ts`);
	return value;
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function say(message: string): void {
	process.stderr.write(`sluice-agent: ${message}\n`);
}

const [command] = process.argv.slice(2);
try {
	if (command === "secrets") await writeSecrets();
	else if (command === "agent") await runAgent();
	else throw new Error("Usage: main.ts secrets|agent");
} catch (error) {
	say(messageOf(error));
	process.exitCode = 1;
}
