import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { type Architecture, type Download, nodeDownload } from "../../infra/node/runtime.ts";
import { Program } from "./program.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const SCRIPT = path.resolve(import.meta.dirname, "fresh-machine.sh");
const SERVER = path.resolve(import.meta.dirname, "file-server.ts");
/** In the machine's own network, where everything else is free. */
export const SERVER_PORT = 8081;
export const SERVED = `http://127.0.0.1:${SERVER_PORT}`;

type CloudConfig = {
	readonly packages: readonly string[];
	readonly write_files: readonly { readonly path: string; readonly permissions: string; readonly content: string }[];
	readonly runcmd: readonly (readonly string[])[];
};

/** Reads user data as cloud-init does. */
export function cloudConfig(userData: string): CloudConfig {
	if (!userData.startsWith("#cloud-config\n")) throw new Error("cloud-init would not know this as a configuration");
	return parse(userData) as CloudConfig;
}

/** Makes an archive like the one in the npm registry, of the Node.js that this project has installed; its checksum. */
export async function packNode(served: string): Promise<{ x64: Download; arm64: Download; version: string }> {
	const architecture = process.arch as Architecture;
	const { version } = nodeDownload(ROOT, architecture);
	await mkdir(served, { recursive: true });
	const file = path.join(served, "node.tgz");
	const from = path.join(ROOT, "node_modules", `node-linux-${architecture}`);
	const args = ["--use-compress-program=gzip -1", "--transform=s,^,package/,", "-C", from, "-cf", file];
	await new Program("tar", [...args, "package.json", "bin/node"]).succeed();
	const sha512 = createHash("sha512")
		.update(await readFile(file))
		.digest("hex");
	const download = { url: `${SERVED}/node.tgz`, sha512 };
	return { x64: download, arm64: download, version };
}

/** Scripts that run on the machine. */
type BootSteps = {
	/** Between the installation and the start of the service. */
	readonly before?: string;
	/** Once the service is healthy; `$service` is its process. */
	readonly check: string;
};

/**
 * Boots user data on a machine of its own; what the steps print. `folder` has `served`, the folder of
 * downloads. The service is started as its unit says, by hand: there is no systemd.
 */
export async function bootMachine(
	folder: string,
	userData: string,
	{ before = "", check }: BootSteps,
): Promise<string> {
	const { write_files: files, runcmd } = cloudConfig(userData);
	await mkdir(path.join(folder, "files"));
	const lines = ["set -eu"];
	for (const [index, file] of files.entries()) {
		await writeFile(path.join(folder, "files", String(index)), file.content);
		lines.push(`install -D -m ${file.permissions} /run/payload/files/${index} ${quoted(file.path)}`);
	}
	for (const command of runcmd) lines.push(command.map(quoted).join(" "));
	await writeFile(path.join(folder, "cloud-init.sh"), `${lines.join("\n")}\n`);
	await writeFile(path.join(folder, "service.sh"), `${before}\n${START_SERVICE}\n${check}\n`);
	const isRoot = process.getuid?.() === 0;
	const own = ["--mount", "--net", "--pid", "--fork", "--kill-child", ...(isRoot ? [] : ["--user", "--map-root-user"])];
	const args = [...own, "sh", SCRIPT, folder, process.execPath, SERVER];
	const env = { SERVER_PORT: String(SERVER_PORT) };
	return (await new Program("unshare", args, { env }).succeed(60_000)).toString();
}

function quoted(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What systemd does with sluice.service: its folders, user, variables and command. */
const START_SERVICE = `
unit=/etc/systemd/system/sluice.service
of() { sed -n "s/^$1=//p" $unit; }
install -d -m "$(of StateDirectoryMode)" -o "$(of User)" -g "$(of Group)" "/var/lib/$(of StateDirectory)"
cd "$(of WorkingDirectory)"
set -a
. /etc/sluice/node.env
set +a
eval "exec_start=\\"$(of ExecStart)\\""
setpriv --reuid "$(of User)" --regid "$(of Group)" --init-groups --no-new-privs --inh-caps=-all --bounding-set=-all \\
	$exec_start >/tmp/service.log 2>&1 &
service=$!
trap 'cat /tmp/service.log >&2' EXIT
for attempt in $(seq 300); do
	curl -fs http://127.0.0.1:9998/metrics >/tmp/metrics && break
	kill -0 $service || exit 1
	sleep 0.1
done
trap - EXIT
`;
