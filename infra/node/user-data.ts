/** What a machine is given to boot as a media node: cloud-init's user data, made of the files beside this one. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { environmentFile } from "./environment-file.ts";
import { PORT_SETTINGS } from "./ports.ts";
import { type Download, nodeDownload } from "./runtime.ts";

/** EC2 takes no more, https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html */
export const MAX_USER_DATA_BYTES = 16 * 1024;

export type ReleaseDownload = {
	/** https, or what a test serves. */
	readonly url: string;
	/** In hexadecimal. */
	readonly sha256: string;
};

/** A file of a machine, beside those that each node has. */
export type MachineFile = { readonly path: string; readonly mode: string; readonly content: string };

export type UserDataOptions = {
	/** The folder of package-lock.json. */
	readonly root: string;
	readonly release: ReleaseDownload;
	/** Settings of the node, such as `SLUICE_BUCKET`. Everybody on the machine may see them: no secrets. */
	readonly environment: Readonly<Record<string, string>>;
	/** Arguments of `sluice`. */
	readonly command?: readonly string[];
	readonly files?: readonly MachineFile[];
	/** Units that are started after `sluice.service`. */
	readonly units?: readonly string[];
	/** Where Node.js comes from instead of the npm registry. */
	readonly runtime?: { readonly x64: Download; readonly arm64: Download };
};

const HERE = "infra/node";

/**
 * Renders the user data.
 * @throws RangeError if an address or checksum is not one, or the text is too long for a machine to be given
 */
export function userData(options: UserDataOptions): string {
	const { root, environment, command = ["start"], files = [], units = [] } = options;
	const read = (name: string) => readFileSync(path.join(root, HERE, name), "utf8");
	const low = needsLowPorts(environment) ? [LOW_PORTS] : [];
	const values: Readonly<Record<string, string>> = {
		RELEASE_ENV: environmentFile({ ...releaseVariables(options), UNITS: ["sluice.service", ...units].join(" ") }),
		NODE_ENV: environmentFile({ COMMAND: command.join(" "), ...PORT_SETTINGS, ...environment }),
		SERVICE: read("sluice.service"),
		INSTALL: read("install.sh"),
		MORE_FILES: [...low, ...files].map(writeFile).join(""),
	};
	const text = read("cloud-init.yaml").replace(/^( *)\{\{([A-Z_]+)\}\}\n/gm, (_, indent: string, name: string) =>
		indented(values[name] ?? "", indent),
	);
	const size = Buffer.byteLength(text);
	if (size > MAX_USER_DATA_BYTES)
		throw new RangeError(`The user data has ${size} bytes, and a machine takes ${MAX_USER_DATA_BYTES}`);
	return text;
}

function releaseVariables({ root, release, runtime }: UserDataOptions): Record<string, string> {
	const x64 = runtime?.x64 ?? nodeDownload(root, "x64");
	const arm64 = runtime?.arm64 ?? nodeDownload(root, "arm64");
	for (const { url } of [release, x64, arm64])
		if (!/^https?:\/\/[^\s'"]+$/.test(url)) throw new RangeError(`${url} is not an address to download from`);
	if (!/^[0-9a-f]{64}$/.test(release.sha256)) throw new RangeError(`${release.sha256} is not a SHA-256 in hexadecimal`);
	return {
		RELEASE_URL: release.url,
		RELEASE_SHA256: release.sha256,
		NODE_X64_URL: x64.url,
		NODE_X64_SHA512: x64.sha512,
		NODE_ARM64_URL: arm64.url,
		NODE_ARM64_SHA512: arm64.sha512,
	};
}

/** Ports below 1024 need a capability; a node that listens on none of them has no capability at all. */
const LOW_PORTS: MachineFile = {
	path: "/etc/systemd/system/sluice.service.d/low-ports.conf",
	mode: "0644",
	content: [
		"[Service]",
		"CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
		"AmbientCapabilities=CAP_NET_BIND_SERVICE",
		"",
	].join("\n"),
};

function needsLowPorts(environment: Readonly<Record<string, string>>): boolean {
	return Object.entries(environment).some(([name, value]) => {
		const port = name.endsWith("ADDRESS") ? /^[^/]*:(\d+)$/.exec(value)?.[1] : undefined;
		return port !== undefined && Number(port) > 0 && Number(port) < 1024;
	});
}

function writeFile({ path: file, mode, content }: MachineFile): string {
	return `- path: ${file}\n  permissions: "${mode}"\n  content: |\n${indented(content, "    ")}`;
}

function indented(text: string, indent: string): string {
	return text.replace(/^(?=.)/gm, indent);
}
