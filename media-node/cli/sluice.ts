/**
 * The `sluice` program. Exit codes: 0 for success, 1 when something failed while it ran, 2 for wrong arguments or a wrong
 * configuration.
 */

import { createRequire, enableCompileCache } from "node:module";
import { Command, CommanderError } from "commander";
import { SluiceError } from "#shared/problem.ts";

enableCompileCache();

const { version, description } = createRequire(import.meta.url)("../../package.json") as {
	version: string;
	description: string;
};

const CONFIG_OPTION = ["-c, --config <file>", "configuration file (default: sluice.yml or mediamtx.yml)"] as const;

type TokenFlags = {
	path?: string;
	read?: true;
	publish?: true;
	admin?: true;
	expires: string;
	subject: string;
	config?: string;
	json?: true;
};

type JoinFlags = {
	control: string;
	key: string;
	region: string;
	publicHost: string;
	replace?: true;
	start: boolean;
	config?: string;
};

const program = new Command("sluice").description(description).version(version).exitOverride();

program
	.command("start")
	.alias("serve")
	.description("start the media node, and the functions beside it")
	.argument("[file]", "configuration file, as MediaMTX is given it")
	.option(...CONFIG_OPTION)
	.action(async (file: string | undefined, options: { config?: string }) => {
		const { start } = await import("./start.ts");
		const config = options.config ?? file;
		await start({ version, ...(config === undefined ? {} : { config }) });
	});

program
	.command("join")
	.description("make this machine a media node of functions that run elsewhere, and start it")
	.requiredOption("--control <url>", "address of the functions")
	.requiredOption("--key <key>", "token or API key that allows it; @FILE reads it from a file")
	.option("--region <name>", "where this node is", "")
	.option("--public-host <host>", "name or address under which clients reach it", "")
	.option("--replace", "take the name over from a node that had another key")
	.option("--no-start", "join only")
	.option(...CONFIG_OPTION)
	.action(async ({ start: isToStart, ...options }: JoinFlags) => {
		const { join } = await import("./join.ts");
		await join(options);
		if (!isToStart) return;
		const { start } = await import("./start.ts");
		await start({ version, ...(options.config === undefined ? {} : { config: options.config }) });
	});

program
	.command("check")
	.description("say whether a configuration file is right")
	.argument("[file]", "configuration file (default: sluice.yml or mediamtx.yml)")
	.option(...CONFIG_OPTION)
	.action(async (file: string | undefined, options: { config?: string }) => {
		const { check } = await import("./check.ts");
		await check(options.config ?? file);
	});

program
	.command("token")
	.description("make a token, and print the signed URL for it")
	.option("--path <name>", "the path that it is for")
	.option("--read", "allow to watch")
	.option("--publish", "allow to publish")
	.option("--admin", "allow the administration API instead")
	.option("--expires <duration>", "how long it is valid, such as 10m, 24h or 30d", "24h")
	.option("--subject <name>", "who it is for: shown in logs", "cli")
	.option("--json", "print token and addresses as JSON")
	.option(...CONFIG_OPTION)
	.action(async (options: TokenFlags) => {
		const { token } = await import("./token.ts");
		await token(options);
	});

program
	.command("hash-password")
	.description("read a password from standard input, and print its argon2 hash for authInternalUsers")
	.action(async () => {
		const { hashPasswordCommand } = await import("./hash-password.ts");
		await hashPasswordCommand();
	});

try {
	await program.parseAsync(withCommand(process.argv.slice(2)), { from: "user" });
} catch (error) {
	process.exitCode = exitCodeOf(error);
}

/** Without a command, what stands there is how MediaMTX and others are started: `sluice mediamtx.yml`, `sluice -config=FILE`. */
function withCommand(args: readonly string[]): string[] {
	const [first = "", ...rest] = args;
	const config = /^--?config(?:=(.*))?$/.exec(first);
	if (config !== null) return ["start", "--config", ...(config[1] === undefined ? [] : [config[1]]), ...rest];
	return /\.(?:ya?ml|json)$/i.test(first) ? ["start", ...args] : [...args];
}

function exitCodeOf(error: unknown): number {
	// Commander has printed its message, or the help or version that was asked for.
	if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
	if (error instanceof SluiceError) {
		console.error(error.message);
		return error.code === "config.invalid" || error.code === "path.name" || error.code === "input.invalid" ? 2 : 1;
	}
	console.error(error);
	return 1;
}
