import path from "node:path";
import { generateNodeKey, type NodeKey, nodeKeySchema } from "#shared/nodes/node-key.ts";
import { InputError } from "#shared/problem.ts";
import { createPrivateFile, readPrivateFile } from "./private-file.ts";

const FILE = "node-key.json";

/**
 * Reads the node's own key from `dataDir`, made on the first call. It never leaves the machine.
 * @throws InputError `config.invalid` if the file is damaged or the folder cannot be written
 */
export async function openNodeKey(dataDir: string): Promise<NodeKey> {
	const file = path.join(dataDir, FILE);
	const present = await readNodeKey(file);
	if (present !== null) return present;
	await createPrivateFile(file, `${JSON.stringify(await generateNodeKey(), null, "\t")}\n`);
	const written = await readNodeKey(file);
	if (written === null) throw new InputError("config.invalid", `Cannot keep ${file}: something deletes it`);
	return written;
}

async function readNodeKey(file: string): Promise<NodeKey | null> {
	const text = await readPrivateFile(file);
	if (text === null) return null;
	try {
		return nodeKeySchema.parse(JSON.parse(text));
	} catch (cause) {
		throw new InputError(
			"config.invalid",
			`Cannot use the key in ${file}: the file is damaged. Move it away and let the node join again`,
			{ cause },
		);
	}
}
