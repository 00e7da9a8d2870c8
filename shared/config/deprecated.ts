/** Keys that MediaMTX had once: each becomes what stands for it today, with a warning. Pure. */

type Raw = Record<string, unknown>;

export type Deprecation = {
	/** Where the old key is, from the top. */
	readonly path: readonly string[];
	/** What to write instead, as a sentence without its subject. */
	readonly advice: string;
};

export type Modernized = {
	readonly value: Raw;
	readonly deprecations: readonly Deprecation[];
	/** Old and new keys that contradict each other. */
	readonly conflicts: readonly Deprecation[];
	/** By the place of a new key, its steps joined by `\n`: the place of the old key that it came from. */
	readonly origins: ReadonlyMap<string, readonly string[]>;
};

type Rename = { readonly to: string; readonly change?: (value: unknown) => unknown };

const not = (value: unknown) => (typeof value === "boolean" ? !value : value);
const listed = (value: unknown) => (typeof value === "string" ? [value] : value);

const GLOBAL_RENAMES: Readonly<Record<string, Rename>> = {
	readBufferCount: { to: "writeQueueSize" },
	rtspUDPReadBufferSize: { to: "udpReadBufferSize" },
	apiAllowOrigin: { to: "apiAllowOrigins", change: listed },
	metricsAllowOrigin: { to: "metricsAllowOrigins", change: listed },
	pprofAllowOrigin: { to: "pprofAllowOrigins", change: listed },
	playbackAllowOrigin: { to: "playbackAllowOrigins", change: listed },
	hlsAllowOrigin: { to: "hlsAllowOrigins", change: listed },
	webrtcAllowOrigin: { to: "webrtcAllowOrigins", change: listed },
	rtspDisable: { to: "rtsp", change: not },
	rtmpDisable: { to: "rtmp", change: not },
	hlsDisable: { to: "hls", change: not },
	webrtcDisable: { to: "webrtc", change: not },
	protocols: { to: "rtspTransports" },
	encryption: { to: "rtspEncryption" },
	serverKey: { to: "rtspServerKey" },
	serverCert: { to: "rtspServerCert" },
	authMethods: { to: "rtspAuthMethods" },
	webrtcICEUDPMuxAddress: { to: "webrtcLocalUDPAddress" },
	webrtcICETCPMuxAddress: { to: "webrtcLocalTCPAddress" },
	webrtcICEHostNAT1To1IPs: { to: "webrtcAdditionalHosts" },
	webrtcICEServers: { to: "webrtcICEServers2", change: iceServers },
	moqHTTPS2Address: { to: "moqHTTP2Address" },
	moqHTTPS3Address: { to: "moqHTTP3Address" },
};

/** Global keys that became settings of paths. */
const GLOBAL_TO_PATH = [
	"record",
	"recordPath",
	"recordFormat",
	"recordPartDuration",
	"recordSegmentDuration",
	"recordDeleteAfter",
] as const;

const PATH_RENAMES: Readonly<Record<string, Rename>> = {
	disablePublisherOverride: { to: "overridePublisher", change: not },
	sourceProtocol: { to: "rtspTransport" },
	sourceAnyPortEnable: { to: "rtspAnyPort" },
	rpiCameraProfile: { to: "rpiCameraH264Profile" },
	rpiCameraLevel: { to: "rpiCameraH264Level" },
	rpiCameraHardwareH264Profile: { to: "rpiCameraH264Profile" },
	rpiCameraHardwareH264Level: { to: "rpiCameraH264Level" },
	rpiCameraSoftwareH264Profile: { to: "rpiCameraH264Profile" },
	rpiCameraSoftwareH264Level: { to: "rpiCameraH264Level" },
	rpiCameraJPEGQuality: { to: "rpiCameraMJPEGQuality" },
	runOnReady: { to: "runOnAvailable" },
	runOnReadyRestart: { to: "runOnAvailableRestart" },
	runOnNotReady: { to: "runOnUnavailable" },
};

/** Sizes of receive buffers that each path had: one for all sockets stands for them. */
const PATH_BUFFER_SIZES = ["rtspUDPReadBufferSize", "mpegtsUDPReadBufferSize", "rtpUDPReadBufferSize"] as const;

const PATH_USERS = ["publishUser", "publishPass", "publishIPs", "readUser", "readPass", "readIPs"] as const;

const BUFFER_SIZE_ADVICE = "is now the global udpReadBufferSize";
const USERS_ADVICE = "is now an entry of authInternalUsers";
const NO_EFFECT = "has no effect any more";

/** Every key that is replaced, for tests and the documentation. */
export const DEPRECATED_KEYS = {
	global: [...Object.keys(GLOBAL_RENAMES), ...GLOBAL_TO_PATH, "externalAuthenticationURL", "authJWTInHTTPQuery"],
	path: [...Object.keys(PATH_RENAMES), ...PATH_BUFFER_SIZES, ...PATH_USERS, "fallback", "playback"],
} as const;

/** What to write instead of an old setting of a path, as a sentence without its subject; `null` when it is none. */
export function adviceOnPathKey(key: string): string | null {
	const rename = Object.hasOwn(PATH_RENAMES, key) ? PATH_RENAMES[key] : undefined;
	if (rename !== undefined) return renamed(rename);
	if (isOneOf(PATH_BUFFER_SIZES, key)) return BUFFER_SIZE_ADVICE;
	if (isOneOf(PATH_USERS, key)) return USERS_ADVICE;
	return key === "playback" ? NO_EFFECT : null;
}

function renamed({ to, change }: Rename): string {
	return `is now called ${to}${change === not ? ", and means the opposite" : ""}`;
}

function isOneOf(keys: readonly string[], key: string): boolean {
	return keys.includes(key);
}

/** Replaces the old keys of a configuration as it was read, before it is checked. The old value goes before a new one. */
export function modernized(raw: Raw): Modernized {
	const value = { ...raw };
	const deprecations: Deprecation[] = [];
	const conflicts: Deprecation[] = [];
	const origins = new Map<string, readonly string[]>();
	const replace = (from: readonly string[], to: readonly string[], advice: string) => {
		deprecations.push({ path: from, advice });
		origins.set(to.join("\n"), from);
	};

	for (const [old, { to, change }] of Object.entries(GLOBAL_RENAMES)) {
		if (!(old in value)) continue;
		const replaced = change === undefined ? value[old] : change(value[old]);
		const before = value[to];
		value[to] =
			old === "webrtcICEServers" && Array.isArray(before) && Array.isArray(replaced)
				? [...before, ...replaced]
				: replaced;
		delete value[old];
		replace([old], [to], `is now called ${to}`);
	}
	if ("externalAuthenticationURL" in value) {
		value["authMethod"] = "http";
		value["authHTTPAddress"] = value["externalAuthenticationURL"];
		delete value["externalAuthenticationURL"];
		replace(["externalAuthenticationURL"], ["authHTTPAddress"], "is now authMethod: http with authHTTPAddress");
	}
	if ("authJWTInHTTPQuery" in value) {
		delete value["authJWTInHTTPQuery"];
		deprecations.push({ path: ["authJWTInHTTPQuery"], advice: NO_EFFECT });
	}
	const defaults = isMap(value["pathDefaults"]) ? { ...value["pathDefaults"] } : {};
	for (const key of GLOBAL_TO_PATH) {
		if (!(key in value)) continue;
		defaults[key] = value[key];
		delete value[key];
		replace([key], ["pathDefaults", key], `now stands in pathDefaults as ${key}`);
	}
	const users: Raw[] = [];
	const bufferSizes: unknown[] = [];
	const modernize = (entry: Raw, at: readonly string[]) => {
		for (const [old, { to, change }] of Object.entries(PATH_RENAMES)) {
			if (!(old in entry)) continue;
			entry[to] = change === undefined ? entry[old] : change(entry[old]);
			delete entry[old];
			replace([...at, old], [...at, to], `is now called ${to}`);
		}
		for (const key of PATH_BUFFER_SIZES) {
			if (!(key in entry)) continue;
			bufferSizes.push(entry[key]);
			delete entry[key];
			deprecations.push({ path: [...at, key], advice: BUFFER_SIZE_ADVICE });
		}
		if ("playback" in entry) {
			delete entry["playback"];
			deprecations.push({ path: [...at, "playback"], advice: NO_EFFECT });
		}
		// Files that were written with every default have it empty.
		if (typeof entry["fallback"] === "string" && entry["fallback"] !== "") {
			deprecations.push({ path: [...at, "fallback"], advice: "still works; alwaysAvailable does it better" });
		}
		for (const key of PATH_USERS) {
			if (!(key in entry)) continue;
			deprecations.push({ path: [...at, key], advice: USERS_ADVICE });
		}
	};
	modernize(defaults, ["pathDefaults"]);
	const paths: Raw = {};
	for (const [name, entry] of Object.entries(isMap(value["paths"]) ? value["paths"] : {})) {
		if (!isMap(entry)) {
			paths[name] = entry;
			continue;
		}
		const copy = { ...entry };
		modernize(copy, ["paths", name]);
		paths[name] = copy;
	}
	if (usesPathUsers(defaults) || Object.values(paths).some((entry) => isMap(entry) && usesPathUsers(entry))) {
		users.push(...LOCAL_ADMINISTRATOR);
		for (const [name, entry] of Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))) {
			const merged = isMap(entry) ? { ...defaults, ...entry } : defaults;
			users.push(userOf(merged, "publish", name), userOf(merged, "read", name));
		}
		for (const entry of [defaults, ...Object.values(paths)]) {
			if (isMap(entry)) for (const key of PATH_USERS) delete entry[key];
		}
		if (isOwnList(value["authInternalUsers"])) {
			conflicts.push({
				path: ["authInternalUsers"],
				advice: `cannot stand beside ${PATH_USERS.join(", ")}: make entries of it out of them`,
			});
		}
		value["authInternalUsers"] = users;
	}
	const [bufferSize] = bufferSizes;
	if (bufferSize !== undefined && !("udpReadBufferSize" in value)) value["udpReadBufferSize"] = bufferSize;
	if (isMap(value["pathDefaults"]) || Object.keys(defaults).length > 0) value["pathDefaults"] = defaults;
	if (isMap(value["paths"])) value["paths"] = paths;
	return { value, deprecations, conflicts, origins };
}

const LOCAL_ADMINISTRATOR: readonly Raw[] = [
	{ user: "any", permissions: [{ action: "playback" }] },
	{
		user: "any",
		ips: ["127.0.0.1", "::1"],
		permissions: [{ action: "api" }, { action: "metrics" }, { action: "pprof" }],
	},
];

/** MediaMTX's own file says its default list: that one gives way. */
function isOwnList(value: unknown): boolean {
	return Array.isArray(value) && !value.every((user: unknown) => isMap(user) && user["user"] === "any");
}

function usesPathUsers(entry: Raw): boolean {
	return PATH_USERS.some((key) => key in entry);
}

function userOf(entry: Raw, action: "publish" | "read", path: string): Raw {
	const user = entry[`${action}User`];
	const ips = entry[`${action}IPs`];
	return {
		user: user === undefined || user === "" || user === null ? "any" : user,
		pass: entry[`${action}Pass`] ?? "",
		ips: typeof ips === "string" ? ips.split(",") : (ips ?? []),
		permissions: [{ action, path: path === "all" || path === "all_others" ? "~^.*$" : path }],
	};
}

/** `stun:host:port`, or `turn:user:pass:host:port`. */
function iceServers(value: unknown): unknown {
	if (!Array.isArray(value)) return value;
	return value.map((server: unknown) => {
		const parts = typeof server === "string" ? server.split(":") : [];
		const [scheme, username, password, host, port] = parts;
		return parts.length === 5 ? { url: `${scheme}:${host}:${port}`, username, password } : { url: server };
	});
}

function isMap(value: unknown): value is Raw {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
