/** What is right in a configuration and still worth a word. Pure. */

import { allows } from "#shared/access/permission.ts";
import { addressOf } from "#shared/config/address.ts";
import { sourcesOf } from "#shared/config/rules.ts";
import { NOT_BUILT, type Settings } from "#shared/config/settings.ts";
import { isForwardBuilt, isSourceBuilt, withoutCredentials } from "#shared/config/source.ts";
import { ANY_USER, isWeakPassword, MIN_STRONG_PASSWORD_LENGTH } from "#shared/config/user.ts";

type Raw = Readonly<Record<string, unknown>>;
type Warn = (path: readonly string[], message: string) => string;

/** `given`: what the file and the environment say, in today's names. */
export function warningsOf(settings: Settings, given: Raw, warn: Warn): string[] {
	return [...notBuilt(given), ...sources(settings, warn), ...forwards(settings, warn), ...access(settings, warn)];
}

/** One line for all that is accepted and does nothing yet. */
function notBuilt(given: Raw): string[] {
	const paths = Object.values(isMap(given["paths"]) ? given["paths"] : {}).filter(isMap);
	const entries = [...(isMap(given["pathDefaults"]) ? [given["pathDefaults"]] : []), ...paths];
	const parts = [
		...Object.entries(NOT_BUILT.global).map(([part, keys]) => ({ part, keys: keys.filter((key) => key in given) })),
		...Object.entries(NOT_BUILT.path).map(([part, keys]) => ({
			part: `${part} (of paths)`,
			keys: keys.filter((key) => entries.some((entry) => key in entry)),
		})),
	].filter(({ keys }) => keys.length > 0);
	if (parts.length === 0) return [];
	const words = parts.map(({ part, keys }) => `${part}: ${keys.join(", ")}`).join("; ");
	return [`These settings are right, and have no effect in this version. ${words}`];
}

function sources({ paths, pathDefaults }: Settings, warn: Warn): string[] {
	return Object.entries(paths).flatMap(([name, overrides]) => {
		const list = sourcesOf({ source: overrides.source ?? pathDefaults.source });
		const missing = list.filter((source) => !isSourceBuilt(source)).map(withoutCredentials);
		if (missing.length === 0) return [];
		return [
			warn(
				["paths", name, "source"],
				`this version cannot take a stream from ${missing.join(", ")}; the path stays empty`,
			),
		];
	});
}

function forwards({ paths }: Settings, warn: Warn): string[] {
	return Object.entries(paths).flatMap(([name, { forward = [] }]) =>
		forward.flatMap(({ dest }, place) => {
			if (isForwardBuilt(dest)) return [];
			const scheme = dest.slice(0, dest.indexOf("://") + 3);
			return [warn(["paths", name, "forward", String(place)], `this version cannot forward to ${scheme}`)];
		}),
	);
}

function access(settings: Settings, warn: Warn): string[] {
	if (settings.authMethod !== "internal") return [];
	const warnings = settings.authInternalUsers.flatMap(({ user, pass }, i) => {
		if (user === ANY_USER || !isWeakPassword(pass)) return [];
		const place = ["authInternalUsers", String(i), "pass"];
		return [
			warn(
				place,
				`is weak: use ${MIN_STRONG_PASSWORD_LENGTH} characters or more, or a hash of \`sluice hash-password\``,
			),
		];
	});
	const open = settings.authInternalUsers.findIndex(
		({ user, ips, permissions }) =>
			user === ANY_USER &&
			isEverywhere(ips) &&
			permissions.some(({ action, path }) => action === "publish" && allows(permissions, "publish", path || "x")),
	);
	if (open !== -1 && settings.rtsp && isPublic(settings.rtspAddress)) {
		const place = "authInternalUsers" in settings ? ["authInternalUsers", String(open)] : [];
		warnings.push(
			warn(
				place,
				`lets anybody who reaches ${settings.rtspAddress} publish; give the user a name and a password, or ips`,
			),
		);
	}
	return warnings;
}

function isEverywhere(ips: readonly string[]): boolean {
	return ips.length === 0 || ips.some((network) => network.endsWith("/0"));
}

function isPublic(address: string): boolean {
	return !/^(?:127\.|::1$|localhost$)/.test(addressOf(address).host);
}

function isMap(value: unknown): value is Raw {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
