import path from "node:path";
import { stringify } from "yaml";
import type { Resource } from "./infra-child.ts";
import { type Infra, plain, SECRET } from "./infra-run.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Texts that differ from one run to the next, and what stands for them. */
const VARYING: readonly (readonly [RegExp | string, string])[] = [
	[`${ROOT}/`, ""],
	[/release(s\/sluice-[\d.]+)-[0-9a-f]{16}/g, "release$1-<checksum>"],
	[/RELEASE_SHA256="[0-9a-f]{64}"/g, 'RELEASE_SHA256="<checksum>"'],
	[/(sluice-\w+-[A-Za-z0-9]+)-[a-z]{8}\b/g, "$1-<random>"],
];

/** Of components, and of functions' packages. */
const UNINTERESTING = /^(sst:|pulumi:|pulumi-nodejs:|random:)|bucketObjectv2/;

/** All that would be made, as a text for people: a change of it is read before it is deployed. */
export function planText(infra: Infra): string {
	const resources = infra.resources
		.filter(({ type }) => !UNINTERESTING.test(type))
		.map((resource) => [titleOf(resource), describe(resource)] as const)
		.sort(([a], [b]) => (a < b ? -1 : 1));
	const text = stringify(
		{ app: infra.app, outputs: infra.outputs, resources: Object.fromEntries(resources) },
		{ lineWidth: 0, blockQuote: "literal", aliasDuplicateObjects: false },
	);
	const head =
		"# What sst.config.ts makes. Written by a test of test/unit/infra.test.ts: `npx vitest run -u test/unit/infra.test.ts` after a change.\n";
	return head + VARYING.reduce((all, [pattern, replacement]) => all.replaceAll(pattern, replacement), text);
}

function titleOf({ type, name }: Resource): string {
	const [provider, , kind] = type.split(":");
	return `${provider} ${kind} ${name}`;
}

function describe({ inputs }: Resource): unknown {
	const shown = plain(inputs, masked) as Record<string, unknown>;
	const text = shown["userData"];
	if (typeof text === "string") shown["userData"] = Buffer.from(text, "base64").toString();
	for (const name of ["policy", "assumeRolePolicy"])
		if (typeof shown[name] === "string") shown[name] = JSON.parse(shown[name]);
	if (Array.isArray(shown["inlinePolicies"]))
		shown["inlinePolicies"] = shown["inlinePolicies"].map(({ policy }: { policy: string }) => JSON.parse(policy));
	if (Array.isArray(shown["orderedCacheBehaviors"]))
		shown["orderedCacheBehaviors"] = grouped(shown["orderedCacheBehaviors"] as CacheBehavior[]);
	// What was built differs with each change of the sources.
	for (const name of ["code", "contentFile", "contentSha256", "source", "s3Key"])
		if (name in shown && shown[name] !== SECRET) delete shown[name];
	return shown;
}

/** A secret whose form can be seen, and nothing of its content but the names and types of its parts. */
function masked(secret: unknown): unknown {
	if (Array.isArray(secret)) return secret.map(masked);
	if (typeof secret !== "object" || secret === null) return SECRET;
	return Object.fromEntries(
		Object.entries(secret).map(([key, value]) => [key, key === "name" || key === "type" ? value : masked(value)]),
	);
}

type CacheBehavior = { readonly pathPattern: string };

/** Behaviours that differ in their pattern alone, as one. */
function grouped(behaviors: readonly CacheBehavior[]): unknown[] {
	const groups = Object.groupBy(behaviors, ({ pathPattern: _, ...rest }) => JSON.stringify(rest));
	return Object.values(groups).map((group = []) => ({
		...group[0],
		pathPattern: group.map(({ pathPattern }) => pathPattern),
	}));
}
