import type { Permission } from "#shared/access/permission.ts";
import { issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { addressOf } from "#shared/config/address.ts";
import { parseDurationMs } from "#shared/config/duration.ts";
import type { Settings } from "#shared/config/settings.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import { InputError } from "#shared/problem.ts";
import { findSettings } from "../config/load-settings.ts";
import { findSecrets } from "../config/secrets.ts";

export type TokenOptions = {
	readonly path?: string;
	readonly read?: true;
	readonly publish?: true;
	readonly admin?: true;
	readonly expires: string;
	readonly subject: string;
	readonly config?: string;
	readonly json?: true;
};

/** Makes a token with the keys in the data folder, and prints what a person does with it. */
export async function token(options: TokenOptions): Promise<void> {
	const { path, permissions } = grantOf(options);
	const lifeMs = parseDurationMs(options.expires);
	if (lifeMs === null || lifeMs <= 0) {
		throw new InputError(
			"input.invalid",
			`--expires must be a duration such as 10m, 24h or 30d; it is ${options.expires}`,
		);
	}
	const { settings } = await findSettings(options.config);
	const secrets = await findSecrets(settings.dataDir);
	if (secrets === null) {
		const message = `There are no keys in ${settings.dataDir} to sign a token with: start Sluice from here first, or name its configuration file with --config`;
		throw new InputError("input.invalid", message);
	}
	const expiresMs = systemClock.now() + lifeMs;
	const text = await issueToken(secrets.signingKeys, { permissions, subject: options.subject, expiresMs }, systemClock);
	const urls = path === null ? {} : urlsOf(settings, path, text, permissions);
	if (options.json) {
		console.log(JSON.stringify({ token: text, expiresAt: new Date(expiresMs).toISOString(), ...urls }, null, "\t"));
	} else {
		console.log(Object.values(urls).join("\n") || text);
	}
}

/** What the options allow. @throws InputError `input.invalid` when they say nothing, or two things; `path.name` */
export function grantOf(options: Pick<TokenOptions, "path" | "read" | "publish" | "admin">): {
	path: PathName | null;
	permissions: Permission[];
} {
	if (options.admin) {
		if (options.path !== undefined || options.read || options.publish) {
			throw new InputError(
				"input.invalid",
				"--admin makes a token for everything: leave out --path, --read and --publish, or leave out --admin",
			);
		}
		return { path: null, permissions: [{ action: "api", path: "" }] };
	}
	if (options.path === undefined) {
		throw new InputError(
			"input.invalid",
			"Say what the token is for: --path NAME with --read or --publish, or --admin",
		);
	}
	const path = parsePathName(options.path);
	const actions = [...(options.read ? (["read"] as const) : []), ...(options.publish ? (["publish"] as const) : [])];
	if (actions.length === 0)
		throw new InputError("input.invalid", "Say what the token allows: --read, --publish or both");
	return { path, permissions: actions.map((action) => ({ action, path })) };
}

function urlsOf(
	settings: Settings,
	path: PathName,
	token: string,
	permissions: readonly Permission[],
): { read?: string; publish?: string } {
	const may = (action: string) => permissions.some((permission) => permission.action === action);
	const rtsp = `rtsp://localhost:${addressOf(settings.rtspAddress).port}/${path}?token=${token}`;
	return {
		...(may("read") ? { read: `${functionsUrl(settings)}/${token}/${path}/index.m3u8` } : {}),
		...(may("publish") ? { publish: rtsp } : {}),
	};
}

/** Where people and players reach the functions; without a slash at the end. */
export function functionsUrl(settings: Settings): string {
	return (settings.publicURL ?? `http://localhost:${addressOf(settings.functionsAddress).port}`).replace(/\/+$/, "");
}
