/** Settings as MediaMTX's control API shows them. Pure. */

import { parseDurationMs } from "#shared/config/duration.ts";
import { layeredPathConfig, type PathConfig } from "#shared/config/path-config.ts";
import type { Settings } from "#shared/config/settings.ts";
import { redacted } from "./secrets-in-settings.ts";

/** Keys whose text is a duration. */
export const DURATION_KEY = /(?:Timeout|Duration|After|Retention|ReconnectWindow)$/;
const NETWORKS_KEY = /^ips$|TrustedProxies$/;

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

type Json = Record<string, unknown>;

/** All settings but those of paths; what our paths have and MediaMTX's HLS server has stands at the top. */
export function globalJson({ pathDefaults, paths: _paths, ...global }: Settings): Json {
	const { hls, hlsSegmentDuration, hlsSegmentCount } = pathDefaults;
	const top = { ...global, hls, hlsAddress: global.functionsAddress, hlsSegmentDuration, hlsSegmentCount };
	return formatted(redacted(top)) as Json;
}

/** The settings of one path: with everything that its entry leaves out. */
export function pathJson(name: string, settings: Pick<Settings, "pathDefaults" | "paths">): Json {
	const entry = Object.hasOwn(settings.paths, name) ? settings.paths[name] : undefined;
	return pathConfigJson(name, layeredPathConfig(settings.pathDefaults, entry ?? {}));
}

/** `name` is empty for the defaults of all paths. */
export function pathConfigJson(name: string, config: PathConfig): Json {
	return { name, ...(formatted(redacted(config)) as Json) };
}

/** Values in the one form that MediaMTX writes them in. */
function formatted(value: unknown, key = ""): unknown {
	if (Array.isArray(value)) {
		const items = value.map((item) => formatted(item, key));
		return key === "rtspTransports" ? items.sort() : items;
	}
	if (typeof value === "object" && value !== null) {
		return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, formatted(inner, name)]));
	}
	if (typeof value !== "string") return value;
	if (DURATION_KEY.test(key)) return formatDuration(value);
	return NETWORKS_KEY.test(key) && !value.includes("/") ? `${value}/${value.includes(":") ? 128 : 32}` : value;
}

/** As Go does, with days before: `1h0m0s`, `1m30s`, `1.5s`, `200ms`, `1d12h0m0s`. */
function formatDuration(text: string): string {
	const ms = parseDurationMs(text);
	if (ms === null || ms < 0) return text;
	const days = Math.floor(ms / DAY_MS);
	const rest = ms % DAY_MS;
	if (rest === 0) return days === 0 ? "0s" : `${days}d`;
	return `${days === 0 ? "" : `${days}d`}${formatPartOfDay(rest)}`;
}

function formatPartOfDay(ms: number): string {
	if (ms < 1) return `${ms * 1000}µs`;
	if (ms < 1000) return `${ms}ms`;
	const hours = Math.floor(ms / HOUR_MS);
	const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
	const seconds = `${(ms % MINUTE_MS) / 1000}s`;
	if (hours > 0) return `${hours}h${minutes}m${seconds}`;
	return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
