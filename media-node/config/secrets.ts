import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { generateSigningKey, signingKeysSchema } from "#shared/access/signing-key.ts";
import { InputError } from "#shared/problem.ts";

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

async function readSecrets(file: string): Promise<NodeSecrets | null> {
	let text: string;
	try {
		text = await readFile(file, "utf8");
	} catch (cause) {
		if (isCode(cause, "ENOENT")) return null;
		throw new InputError("config.invalid", `Cannot read ${file}: ${messageOf(cause)}`, { cause });
	}
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
	const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
	try {
		await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
		await writeFile(draft, `${JSON.stringify(secrets, null, "\t")}\n`, { mode: 0o600, flag: "wx", flush: true });
		try {
			// A link is made whole or not at all, and never over a file that another process made first.
			await link(draft, file);
		} catch (cause) {
			if (!isCode(cause, "EEXIST")) throw cause;
		} finally {
			await unlink(draft);
		}
	} catch (cause) {
		throw new InputError(
			"config.invalid",
			`Cannot write ${file}: ${messageOf(cause)}. Set dataDir to a folder that this user may write`,
			{ cause },
		);
	}
	const written = await readSecrets(file);
	if (written === null) throw new InputError("config.invalid", `Cannot keep ${file}: something deletes it`);
	return written;
}

function isCode(error: unknown, code: string): boolean {
	return error instanceof Error && "code" in error && error.code === code;
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
