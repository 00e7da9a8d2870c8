/**
 * Prints the user data of a node for any cloud or hypervisor that knows cloud-init.
 *
 * Usage: npm run user-data -- <address of the functions> <address of the release file> <its SHA-256> [NAME=value …]
 *
 * The key to join with is no part of it: put it into /etc/sluice/join-key of the machine by a way that your cloud has for
 * secrets.
 */

import path from "node:path";
import { userData } from "./user-data.ts";

const [control, url, sha256, ...settings] = process.argv.slice(2);
const pairs = settings.map((setting) => /^([A-Z0-9_]+)=(.*)$/.exec(setting));
if (control === undefined || url === undefined || sha256 === undefined || pairs.includes(null)) {
	process.stderr.write(
		"Usage: npm run user-data -- <functions' address> <release's address> <SHA-256> [NAME=value …]\n",
	);
	process.exitCode = 2;
} else {
	process.stdout.write(
		userData({
			root: path.resolve(import.meta.dirname, "../.."),
			release: { url, sha256 },
			environment: Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""])),
			command: ["join", "--control", control, "--key", "@/etc/sluice/join-key"],
		}),
	);
}
