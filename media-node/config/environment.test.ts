import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { readConfig } from "./read-config.ts";

const settingsOf = (environment: Record<string, string>, text = "") => readConfig(text, { file: "f.yml", environment });

describe("settings in the environment", () => {
	it("go before those of the file, by MediaMTX's names", () => {
		const { settings } = settingsOf(
			{
				MTX_RTSPADDRESS: ":9554",
				MTX_RTSPTRANSPORTS: "tcp,udp",
				MTX_METRICS: "no",
				MTX_WRITEQUEUESIZE: "1024",
				MTX_PATHDEFAULTS_MAXREADERS: "7",
				MTX_PATHS_CAM1_SOURCE: "rtsp://host/one",
				MTX_PATHS_CAM1_SOURCEONDEMAND: "yes",
				MTX_AUTHINTERNALUSERS_0_USER: "joe",
				MTX_AUTHINTERNALUSERS_0_PASS: "a-long-password",
				MTX_AUTHINTERNALUSERS_0_IPS: "10.0.0.0/8,::1",
				MTX_AUTHINTERNALUSERS_0_PERMISSIONS_0_ACTION: "publish",
				MTX_WEBRTCICESERVERS2_0_URL: "stun:host:3478",
			},
			"rtspAddress: :8554\nauthInternalUsers: []\n",
		);
		expect(settings).toMatchObject({
			rtspAddress: ":9554",
			rtspTransports: ["tcp", "udp"],
			metrics: false,
			writeQueueSize: 1024,
			pathDefaults: { maxReaders: 7 },
			paths: { cam1: { source: "rtsp://host/one", sourceOnDemand: true } },
			authInternalUsers: [
				{
					user: "joe",
					pass: "a-long-password",
					ips: ["10.0.0.0/8", "::1"],
					permissions: [{ action: "publish", path: "" }],
				},
			],
			webrtcICEServers2: [{ url: "stun:host:3478" }],
		});
	});

	it("has a prefix of our own, which goes before MediaMTX's, which goes before the old one", () => {
		const all = { RTSP_LOGLEVEL: "error", MTX_LOGLEVEL: "warn", SLUICE_LOGLEVEL: "debug" };
		expect(settingsOf(all).settings.logLevel).toBe("debug");
		expect(settingsOf({ ...all, SLUICE_LOGLEVEL: undefined as unknown as string }).settings.logLevel).toBe("warn");
	});

	it("empties a list with an empty text", () => {
		expect(
			settingsOf({ MTX_RTSPTRUSTEDPROXIES: "" }, "rtspTrustedProxies: [10.0.0.1]\n").settings.rtspTrustedProxies,
		).toEqual([]);
	});

	it("takes deprecated names, with their warning", () => {
		const { settings, warnings } = settingsOf({ MTX_PROTOCOLS: "tcp", MTX_RTMPDISABLE: "yes" });
		expect(settings).toMatchObject({ rtspTransports: ["tcp"], rtmp: false });
		expect(warnings.join("\n")).toMatch(/MTX_PROTOCOLS: protocols: is now called rtspTransports/);
	});

	it("names the variable that is wrong", () => {
		expect(() => settingsOf({ MTX_METRICS: "maybe" })).toThrow(InputError);
		expect(() => settingsOf({ MTX_METRICS: "maybe" })).toThrow(/^MTX_METRICS: metrics: .*boolean.*\(is "maybe"\)/);
	});

	it("warns of a variable that is no setting, but not of those that hooks get", () => {
		const { warnings } = settingsOf({ MTX_RTSPADRESS: ":1", MTX_PATH: "cam", MTX_QUERY: "a=b", RTSP_PORT: "8554" });
		expect(warnings).toEqual(["MTX_RTSPADRESS: is not a setting that the environment can have"]);
	});
});
