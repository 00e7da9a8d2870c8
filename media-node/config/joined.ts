/** What a control plane told this node when it joined. It is kept in the data folder, and counts like the environment. */

import path from "node:path";
import * as z from "zod";
import { InputError } from "#shared/problem.ts";
import { readPrivateFile, replacePrivateFile } from "./private-file.ts";

const FILE = "joined.json";

const joinedSchema = z.object({
	v: z.literal(1),
	/** The address of the control plane, without a slash at the end. */
	control: z.url(),
	nodeId: z.string(),
	/** `null`: whoever runs this node says it. */
	bucket: z.string().nullable(),
	credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }).nullable(),
	jwksUrl: z.url(),
	/** As the command line said them; empty: nothing. */
	region: z.string(),
	publicHost: z.string(),
});
export type Joined = z.infer<typeof joinedSchema>;

/** `null` when this node never joined. @throws InputError `config.invalid` */
export async function readJoined(dataDir: string): Promise<Joined | null> {
	const file = path.join(dataDir, FILE);
	const text = await readPrivateFile(file);
	if (text === null) return null;
	try {
		return joinedSchema.parse(JSON.parse(text));
	} catch (cause) {
		throw new InputError("config.invalid", `Cannot use ${file}: the file is damaged. Run \`sluice join\` again`, {
			cause,
		});
	}
}

/** @throws InputError `config.invalid` if the folder cannot be written */
export async function writeJoined(dataDir: string, joined: Joined): Promise<void> {
	await replacePrivateFile(path.join(dataDir, FILE), `${JSON.stringify(joined, null, "\t")}\n`);
}

/** The variables that say the same. Those that a person has set go before them. */
export function joinedEnvironment({
	bucket,
	credentials,
	jwksUrl,
	region,
	publicHost,
}: Joined): Record<string, string> {
	return {
		SLUICE_FUNCTIONS: "no",
		SLUICE_AUTHJWTJWKS: jwksUrl,
		SLUICE_NODEHEARTBEAT: "5s",
		...(bucket === null ? {} : { SLUICE_BUCKET: bucket }),
		...(region === "" ? {} : { SLUICE_NODEREGION: region }),
		...(publicHost === "" ? {} : { SLUICE_NODEPUBLICHOST: publicHost }),
		...(credentials === null
			? {}
			: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey }),
	};
}

/** Lays what was told over `environment`, where nothing else is said. */
export function adoptJoined(joined: Joined, environment: Record<string, string | undefined>): void {
	const variables = joinedEnvironment(joined);
	// Two halves of different credentials fit nobody.
	const hasOwn = environment["AWS_ACCESS_KEY_ID"] !== undefined || environment["AWS_PROFILE"] !== undefined;
	for (const [name, value] of Object.entries(variables)) {
		if (hasOwn && name.startsWith("AWS_")) continue;
		environment[name] ??= value;
	}
}
