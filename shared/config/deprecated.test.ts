import { describe, expect, it } from "vitest";
import { DEPRECATED_KEYS, modernized } from "./deprecated.ts";

const GLOBAL: Record<string, [unknown, object]> = {
	readBufferCount: [1024, { writeQueueSize: 1024 }],
	rtspUDPReadBufferSize: [4096, { udpReadBufferSize: 4096 }],
	apiAllowOrigin: ["*", { apiAllowOrigins: ["*"] }],
	metricsAllowOrigin: ["a", { metricsAllowOrigins: ["a"] }],
	pprofAllowOrigin: ["a", { pprofAllowOrigins: ["a"] }],
	playbackAllowOrigin: ["a", { playbackAllowOrigins: ["a"] }],
	hlsAllowOrigin: ["a", { hlsAllowOrigins: ["a"] }],
	webrtcAllowOrigin: ["a", { webrtcAllowOrigins: ["a"] }],
	rtspDisable: [true, { rtsp: false }],
	rtmpDisable: [true, { rtmp: false }],
	hlsDisable: [false, { hls: true }],
	webrtcDisable: [true, { webrtc: false }],
	protocols: [["tcp"], { rtspTransports: ["tcp"] }],
	encryption: ["optional", { rtspEncryption: "optional" }],
	serverKey: ["k.pem", { rtspServerKey: "k.pem" }],
	serverCert: ["c.pem", { rtspServerCert: "c.pem" }],
	authMethods: [["basic", "digest"], { rtspAuthMethods: ["basic", "digest"] }],
	webrtcICEUDPMuxAddress: [":8189", { webrtcLocalUDPAddress: ":8189" }],
	webrtcICETCPMuxAddress: [":8189", { webrtcLocalTCPAddress: ":8189" }],
	webrtcICEHostNAT1To1IPs: [["1.2.3.4"], { webrtcAdditionalHosts: ["1.2.3.4"] }],
	webrtcICEServers: [
		["stun:h:3478", "turn:user:pass:h:3478"],
		{ webrtcICEServers2: [{ url: "stun:h:3478" }, { url: "turn:h:3478", username: "user", password: "pass" }] },
	],
	moqHTTPS2Address: [":1", { moqHTTP2Address: ":1" }],
	moqHTTPS3Address: [":1", { moqHTTP3Address: ":1" }],
	record: [true, { pathDefaults: { record: true } }],
	recordPath: ["./r/%path", { pathDefaults: { recordPath: "./r/%path" } }],
	recordFormat: ["mpegts", { pathDefaults: { recordFormat: "mpegts" } }],
	recordPartDuration: ["2s", { pathDefaults: { recordPartDuration: "2s" } }],
	recordSegmentDuration: ["2h", { pathDefaults: { recordSegmentDuration: "2h" } }],
	recordDeleteAfter: ["2d", { pathDefaults: { recordDeleteAfter: "2d" } }],
	externalAuthenticationURL: ["http://a", { authMethod: "http", authHTTPAddress: "http://a" }],
	authJWTInHTTPQuery: [true, {}],
};

const NONE = { authInternalUsers: expect.anything() };
const PATH: Record<string, [unknown, object, object?]> = {
	disablePublisherOverride: [true, { overridePublisher: false }],
	sourceProtocol: ["tcp", { rtspTransport: "tcp" }],
	sourceAnyPortEnable: [true, { rtspAnyPort: true }],
	rpiCameraProfile: ["main", { rpiCameraH264Profile: "main" }],
	rpiCameraLevel: ["4.2", { rpiCameraH264Level: "4.2" }],
	rpiCameraHardwareH264Profile: ["main", { rpiCameraH264Profile: "main" }],
	rpiCameraHardwareH264Level: ["4.2", { rpiCameraH264Level: "4.2" }],
	rpiCameraSoftwareH264Profile: ["main", { rpiCameraH264Profile: "main" }],
	rpiCameraSoftwareH264Level: ["4.2", { rpiCameraH264Level: "4.2" }],
	rpiCameraJPEGQuality: [50, { rpiCameraMJPEGQuality: 50 }],
	runOnReady: ["cmd", { runOnAvailable: "cmd" }],
	runOnReadyRestart: [true, { runOnAvailableRestart: true }],
	runOnNotReady: ["cmd", { runOnUnavailable: "cmd" }],
	rtspUDPReadBufferSize: [4096, {}, { udpReadBufferSize: 4096 }],
	mpegtsUDPReadBufferSize: [4096, {}, { udpReadBufferSize: 4096 }],
	rtpUDPReadBufferSize: [4096, {}, { udpReadBufferSize: 4096 }],
	fallback: ["/other", { fallback: "/other" }],
	playback: [true, {}],
	publishUser: ["joe", {}, NONE],
	publishPass: ["secret", {}, NONE],
	publishIPs: [["10.0.0.0/8"], {}, NONE],
	readUser: ["joe", {}, NONE],
	readPass: ["secret", {}, NONE],
	readIPs: [["10.0.0.0/8"], {}, NONE],
};

describe("keys that MediaMTX had once", () => {
	it("has a row here for every one of them", () => {
		expect(Object.keys(GLOBAL).sort()).toEqual([...DEPRECATED_KEYS.global].sort());
		expect(Object.keys(PATH).sort()).toEqual([...DEPRECATED_KEYS.path].sort());
	});

	it.each(Object.entries(GLOBAL))("%s becomes what stands for it today, with a warning", (key, [value, expected]) => {
		const { value: modern, deprecations } = modernized({ [key]: value });
		expect(modern).toEqual(expected);
		expect(deprecations.map(({ path }) => path)).toEqual([[key]]);
	});

	it.each(Object.entries(PATH))(
		"%s of a path becomes what stands for it today, with a warning",
		(key, [value, expected, global]) => {
			const { value: modern, deprecations } = modernized({ paths: { cam: { [key]: value } } });
			expect(modern).toEqual({ ...global, paths: { cam: expected } });
			expect(deprecations.map(({ path }) => path)).toEqual([["paths", "cam", key]]);
		},
	);

	it("says nothing of a fallback that is empty, as files that were written with every default have it", () => {
		expect(modernized({ pathDefaults: { fallback: "" } }).deprecations).toEqual([]);
	});

	it("makes users of the users of paths: those of the defaults count where a path says nothing", () => {
		const { value } = modernized({
			pathDefaults: { readUser: "viewer", readPass: "v" },
			paths: { cam: { publishUser: "joe", publishPass: "p", publishIPs: ["10.0.0.0/8"] }, all: null },
		});
		expect(value["authInternalUsers"]).toEqual([
			{ user: "any", permissions: [{ action: "playback" }] },
			{
				user: "any",
				ips: ["127.0.0.1", "::1"],
				permissions: [{ action: "api" }, { action: "metrics" }, { action: "pprof" }],
			},
			{ user: "any", pass: "", ips: [], permissions: [{ action: "publish", path: "~^.*$" }] },
			{ user: "viewer", pass: "v", ips: [], permissions: [{ action: "read", path: "~^.*$" }] },
			{ user: "joe", pass: "p", ips: ["10.0.0.0/8"], permissions: [{ action: "publish", path: "cam" }] },
			{ user: "viewer", pass: "v", ips: [], permissions: [{ action: "read", path: "cam" }] },
		]);
		expect(value["pathDefaults"]).toEqual({});
		expect(value["paths"]).toEqual({ cam: {}, all: null });
	});

	it("refuses them beside a list of users of its own, but not beside MediaMTX's default list", () => {
		const paths = { cam: { readUser: "joe" } };
		expect(modernized({ authInternalUsers: [{ user: "sue" }], paths }).conflicts[0]?.path).toEqual([
			"authInternalUsers",
		]);
		expect(modernized({ authInternalUsers: [{ user: "any" }], paths }).conflicts).toEqual([]);
	});

	it("remembers where a value came from", () => {
		const { origins } = modernized({ record: true, paths: { cam: { runOnReady: "x" } } });
		expect(origins.get("pathDefaults\nrecord")).toEqual(["record"]);
		expect(origins.get("paths\ncam\nrunOnAvailable")).toEqual(["paths", "cam", "runOnReady"]);
	});

	it("leaves a configuration of today as it is", () => {
		const raw = { rtsp: true, paths: { cam: { source: "publisher" } } };
		expect(modernized(raw)).toEqual({ value: raw, deprecations: [], conflicts: [], origins: new Map() });
	});
});
