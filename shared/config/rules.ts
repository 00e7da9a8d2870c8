/** Rules across keys: what the schema of each key alone cannot say. Pure. */

import { durationMs } from "./duration.ts";
import { layeredPathConfig, type PathConfig, type PathOverrides } from "./path-config.ts";
import { isPattern } from "./path-pattern.ts";
import { redirectFault } from "./redirect.ts";
import type { Settings } from "./settings.ts";
import { isStaticSource } from "./source.ts";

export type Fault = {
	/** Where, from the top. */
	readonly path: readonly string[];
	/** A sentence without its subject, which is the key. */
	readonly message: string;
};

/** Every rule that a configuration breaks. */
export function faultsOf(settings: Settings): Fault[] {
	return [
		...accessFaults(settings),
		...Object.entries(settings.paths).flatMap(([name, overrides]) =>
			pathFaults(name, settings.pathDefaults, overrides),
		),
		...aliasFaults(Object.keys(settings.paths)),
	];
}

function accessFaults(settings: Settings): Fault[] {
	const faults: Fault[] = [];
	if (settings.authMethod === "http" && settings.authHTTPAddress === "") {
		faults.push({ path: ["authHTTPAddress"], message: "must be set when authMethod is http" });
	}
	if (settings.authMethod === "jwt" && settings.authJWTJWKS === "") {
		faults.push({ path: ["authJWTJWKS"], message: "must be set when authMethod is jwt" });
	}
	if (settings.rtsp && settings.rtspAuthMethods.includes("digest")) {
		if (settings.authMethod !== "internal") {
			faults.push({
				path: ["rtspAuthMethods"],
				message: "digest needs authMethod: internal, which knows the passwords",
			});
		}
		const hashed = settings.authInternalUsers.findIndex(({ user, pass }) => isHash(user) || isHash(pass));
		if (hashed !== -1) {
			faults.push({
				path: ["authInternalUsers", String(hashed), "pass"],
				message: "must be plain text while digest is in rtspAuthMethods: it cannot be checked against a hash",
			});
		}
	}
	return faults;
}

function isHash(credential: string): boolean {
	return /^(?:sha256|argon2):/.test(credential);
}

/** Rules of one path, with its defaults. Only what the path itself says, or its defaults make wrong, is told. */
export function pathFaults(name: string, defaults: PathConfig, overrides: PathOverrides): Fault[] {
	const config = layeredPathConfig(defaults, overrides);
	const fault = (key: string, message: string): Fault => ({ path: ["paths", name, key], message });
	const faults: Fault[] = [];
	const sources = sourcesOf(config);
	const isStatic = sources.some(isStaticSource);
	const [first = "publisher"] = sources;
	if (sources.length > 1 && sources.some((source) => source === "redirect")) {
		faults.push(fault("source", "a list cannot hold redirect"));
	}
	if (config.source === "redirect" && config.sourceRedirect === "") {
		faults.push(fault("sourceRedirect", "must be set when source is redirect"));
	}
	if (first !== "redirect" && config.sourceRedirect !== "") {
		faults.push(fault("sourceRedirect", "has no effect: source is not redirect"));
	}
	for (const key of ["sourceRedirect", "fallback"] as const) {
		const message = config[key] === "" ? null : redirectFault(config[key]);
		if (message !== null) faults.push(fault(key, message));
	}
	if (sources.includes("file") && config.sourceFile === "") {
		faults.push(fault("sourceFile", "must be set when source is file"));
	}
	if (sources.some((source) => source.startsWith("udp+rtp://")) && config.rtpSDP === "") {
		faults.push(fault("rtpSDP", "must be set for a udp+rtp:// source: nothing else says what its packets hold"));
	}
	if (config.rtspRangeType !== "" && config.rtspRangeStart === "") {
		faults.push(fault("rtspRangeStart", "must be set when rtspRangeType is"));
	}
	if (isStatic && isPattern(name) && !config.sourceOnDemand) {
		faults.push(
			fault(
				"sourceOnDemand",
				"must be true: the source of a regular expression or of all others is pulled when somebody reads",
			),
		);
	}
	if (config.sourceOnDemand && !isStatic) {
		faults.push(fault("sourceOnDemand", `has no effect when source is ${first}`));
	}
	if (config.runOnInit !== "" && isPattern(name)) {
		faults.push(fault("runOnInit", "is for a path with a name of its own, not for a regular expression or all others"));
	}
	if ((config.runOnDemand !== "" || config.runOnUnDemand !== "") && first !== "publisher") {
		faults.push(fault(config.runOnDemand === "" ? "runOnUnDemand" : "runOnDemand", "is for source: publisher"));
	}
	if (config.srtPublishPassphrase !== "" && first !== "publisher") {
		faults.push(fault("srtPublishPassphrase", "is for source: publisher"));
	}
	return [...faults, ...alwaysAvailableFaults(name, config, fault), ...recordFaults(config, fault)];
}

function alwaysAvailableFaults(
	name: string,
	config: PathConfig,
	fault: (key: string, message: string) => Fault,
): Fault[] {
	if (!config.alwaysAvailable) return [];
	const faults: Fault[] = [];
	const add = (key: string, message: string) => faults.push(fault(key, message));
	if (isPattern(name))
		add("alwaysAvailable", "is for a path with a name of its own, not for a regular expression or all others");
	if (config.source === "redirect") add("alwaysAvailable", "has no effect on a redirect");
	if (config.sourceOnDemand) add("sourceOnDemand", "cannot be used together with alwaysAvailable");
	if (config.runOnDemand !== "") add("runOnDemand", "cannot be used together with alwaysAvailable");
	if (config.useAbsoluteTimestamp) add("useAbsoluteTimestamp", "cannot be used together with alwaysAvailable");
	if (config.alwaysAvailableFile !== "" && config.alwaysAvailableTracks.length > 0) {
		add("alwaysAvailableFile", "cannot be used together with alwaysAvailableTracks");
	}
	if (config.alwaysAvailableFile === "" && config.alwaysAvailableTracks.length === 0) {
		add("alwaysAvailableTracks", "must have one track at least, or alwaysAvailableFile must be set");
	}
	return faults;
}

function recordFaults(config: PathConfig, fault: (key: string, message: string) => Fault): Fault[] {
	const { recordPath } = config;
	const hasTime =
		recordPath.includes("%s") || ["%Y", "%m", "%d", "%H", "%M", "%S"].every((part) => recordPath.includes(part));
	const deleteMs = durationMs(config.recordDeleteAfter);
	const tooSoon = deleteMs !== 0 && deleteMs < durationMs(config.recordSegmentDuration);
	return [
		...(tooSoon ? [fault("recordDeleteAfter", "must be 0s, or recordSegmentDuration at least")] : []),
		...(recordPath.includes("%path") ? [] : [fault("recordPath", "must contain %path")]),
		...(hasTime ? [] : [fault("recordPath", "must contain %s, or all of %Y %m %d %H %M %S")]),
	];
}

function aliasFaults(names: readonly string[]): Fault[] {
	const aliases = names.filter((name) => ["all", "all_others", "~^.*$"].includes(name));
	return aliases
		.slice(1)
		.map((name) => ({ path: ["paths", name], message: `is the same as ${aliases[0]}: keep one of them` }));
}

/** The sources of a path, best first. */
export function sourcesOf({ source }: Pick<PathConfig, "source">): readonly string[] {
	return typeof source === "string" ? [source] : source;
}
