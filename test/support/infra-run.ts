import { glob, readFile } from "node:fs/promises";
import path from "node:path";
import type { App, InfraRun, Resource } from "./infra-child.ts";
import { Program } from "./program.ts";
import { ensureSstPlatform } from "./sst-platform.ts";
import { tempDir } from "./temp-dir.ts";
import { zipNames } from "./zip-names.ts";

const CHILD = path.resolve(import.meta.dirname, "infra-child.ts");
const RUN_MS = 120_000;

/** How Pulumi marks a value as a secret on its way to a cloud. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const SECRET = "(secret)";

/** What a deployment needs to be told; none of it is real. */
const ENVIRONMENT = {
	AWS_REGION: "eu-west-1",
	AWS_ACCESS_KEY_ID: "AKIAMOCK",
	AWS_SECRET_ACCESS_KEY: "mock",
	CLOUDFLARE_DEFAULT_ACCOUNT_ID: "0123456789abcdef0123456789abcdef",
	CLOUDFLARE_API_TOKEN: "mock",
	SST_SECRET_SigningKeys: "[]",
	SST_SECRET_StreamKeySecrets: JSON.stringify(["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]),
	SST_SECRET_WakeSecret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	SST_SECRET_AdminKeyHashes: "00",
	SST_SECRET_NodeKeyHashes: "11",
	SST_SECRET_JoinKey: "the-join-key",
};

/** What sst.config.ts would make. */
export class Infra {
	readonly app: App;
	readonly outputs: Readonly<Record<string, unknown>>;
	readonly resources: readonly Resource[];
	/** The files of what each Lambda function is uploaded as, by its name. */
	readonly packages: ReadonlyMap<string, readonly string[]>;

	constructor({ app, outputs, resources }: InfraRun, packages: ReadonlyMap<string, readonly string[]>) {
		this.app = app;
		this.outputs = outputs as Record<string, unknown>;
		this.resources = resources;
		this.packages = packages;
	}

	/** Every resource of a type. */
	all(type: string): readonly Resource[] {
		return this.resources.filter((resource) => resource.type === type);
	}

	/** What a resource is made with; secrets are opened. */
	one(name: string): Readonly<Record<string, unknown>> {
		const found = this.resources.filter((resource) => resource.name === name && !resource.type.startsWith("sst:"));
		if (found.length !== 1) throw new Error(`There are ${found.length} resources ${name}`);
		return plain(found[0]?.inputs, (value) => value) as Record<string, unknown>;
	}

	/** Whether a property goes to the cloud as a secret. */
	isSecret(name: string, property: string): boolean {
		const found = this.resources.find((resource) => resource.name === name && !resource.type.startsWith("sst:"));
		return plain(found?.inputs[property], () => SECRET) === SECRET;
	}
}

/** Runs sst.config.ts for a stage, with variables. Needs some ten seconds. */
export async function runInfra(stage: string, environment: Readonly<Record<string, string>> = {}): Promise<Infra> {
	await ensureSstPlatform();
	await using folder = await tempDir();
	const env = { ...ENVIRONMENT, ...environment };
	await new Program(process.execPath, [CHILD, stage, folder.path], { env }).succeed(RUN_MS);
	const run = JSON.parse(await readFile(path.join(folder.path, "run.json"), "utf8")) as InfraRun;
	return new Infra(run, await packagesIn(path.join(folder.path, "artifacts")));
}

/** SST leaves `<name of the function>/code.zip`. */
async function packagesIn(artifacts: string): Promise<Map<string, readonly string[]>> {
	const packages = new Map<string, readonly string[]>();
	for await (const file of glob("*/code.zip", { cwd: artifacts })) {
		const names = zipNames(new Uint8Array(await readFile(path.join(artifacts, file))));
		packages.set(
			path.dirname(file),
			names.filter((name) => !name.endsWith("/")),
		);
	}
	return packages;
}

/** A value without Pulumi's marks; `open` says what a secret becomes. */
export function plain(value: unknown, open: (secret: unknown) => unknown): unknown {
	if (Array.isArray(value)) return value.map((item) => plain(item, open));
	if (typeof value !== "object" || value === null) return value;
	if (SIGNATURE in value && "value" in value) return open(plain(value.value, open));
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, open)]));
}
