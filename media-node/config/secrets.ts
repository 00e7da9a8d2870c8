import { randomBytes } from "node:crypto";
import path from "node:path";
import * as z from "zod";
import { generateSigningKey, signingKeysSchema } from "#shared/access/signing-key.ts";
import { InputError } from "#shared/problem.ts";
import { createPrivateFile, readPrivateFile, replacePrivateFile } from "./private-file.ts";

/** What a node keeps for itself in its data folder, readable by its own user alone. */
const secretsSchema = z.object({
	nodeId: z.string().regex(/^[0-9A-Za-z_.-]{1,64}$/),
	/** Private keys of tokens; the first signs, all verify. */
	signingKeys: signingKeysSchema,
	/** Keys of stream keys, base64url; the first signs, all verify. */
	streamKeySecrets: z.array(z.base64url()).min(1),
});
export type NodeSecrets = z.infer<typeof secretsSchema>;

const FILE = "secrets.json";

/**
 * Reads the secrets of `dataDir`, made on the first call. Two processes that start at once get the same.
 * @throws InputError `config.invalid` if the file is damaged or the folder cannot be written
 */
export async function openSecrets(dataDir: string): Promise<{ secrets: NodeSecrets; created: boolean }> {
	const file = path.join(dataDir, FILE);
	const present = await readSecrets(file);
	return present === null
		? { secrets: await createSecrets(file), created: true }
		: { secrets: present, created: false };
}

/** The secrets that `dataDir` has; `null`: none yet. @throws InputError `config.invalid` if the file is damaged */
export function findSecrets(dataDir: string): Promise<NodeSecrets | null> {
	return readSecrets(path.join(dataDir, FILE));
}

async function readSecrets(file: string): Promise<NodeSecrets | null> {
	const text = await readPrivateFile(file);
	if (text === null) return null;
	try {
		return secretsSchema.parse(JSON.parse(text));
	} catch (cause) {
		throw new InputError(
			"config.invalid",
			`Cannot use the keys in ${file}: the file is damaged. Restore it from a backup, or move it away to begin with new keys, which voids every token given out`,
			{ cause },
		);
	}
}

async function createSecrets(file: string): Promise<NodeSecrets> {
	const secrets: NodeSecrets = {
		nodeId: `node-${randomBytes(6).toString("hex")}`,
		signingKeys: [await generateSigningKey()],
		streamKeySecrets: [randomBytes(32).toString("base64url")],
	};
	await createPrivateFile(file, `${JSON.stringify(secrets, null, "\t")}\n`);
	const written = await readSecrets(file);
	if (written === null) throw new InputError("config.invalid", `Cannot keep ${file}: something deletes it`);
	return written;
}

/** Takes over the stream keys of a control plane: those of `dataDir` are kept, and come after them. */
export async function adoptStreamKeySecrets(dataDir: string, adopted: readonly string[]): Promise<void> {
	const { secrets } = await openSecrets(dataDir);
	const streamKeySecrets = [...new Set([...adopted, ...secrets.streamKeySecrets])];
	const isSame = JSON.stringify(streamKeySecrets) === JSON.stringify(secrets.streamKeySecrets);
	if (isSame) return;
	const text = `${JSON.stringify({ ...secrets, streamKeySecrets }, null, "\t")}\n`;
	await replacePrivateFile(path.join(dataDir, FILE), text);
}
