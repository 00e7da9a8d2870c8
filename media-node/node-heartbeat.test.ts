import { describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { type Settings, settingsSchema } from "#shared/config/settings.ts";
import { endpointsSchema, loadSchema } from "#shared/nodes/heartbeat.ts";
import { heartbeatFacts, heartbeatIntervalMs } from "./node-heartbeat.ts";
import type { PathTable } from "./paths/path-table.ts";
import type { RtspServer } from "./rtsp/server.ts";
import type { WebRtcServer } from "./webrtc/server.ts";

const settings = (given: Partial<Settings>): Settings => settingsSchema.parse(given);

const stream = (id: string, ready: boolean, readers: number, bytesReceived: number) => ({
	id,
	ready,
	bytesReceived,
	readers: Array.from({ length: readers }, () => ({})),
});

function facts(given: Partial<Settings>, ports: { rtsps?: number; webrtc?: number } = {}) {
	const table = { list: () => [stream("a", true, 2, 100), stream("b", false, 1, 0)] } as unknown as PathTable;
	const rtsp = { port: 8554, securePort: ports.rtsps ?? null, sessions: () => [{ id: "s", bytesSent: 1 }] };
	const webrtc = { port: ports.webrtc ?? 8889, sessions: () => [{ id: "p", bytesSent: 1 }] };
	return heartbeatFacts({
		clock: systemClock,
		settings: () => settings(given),
		table,
		rtsp: () => rtsp as unknown as RtspServer,
		webrtc: () => webrtc as unknown as WebRtcServer,
	})();
}

describe("how often a node says that it lives", () => {
	it("is never on a laptop, where nobody asks and the bucket is a folder; else every five seconds, or as it is told", () => {
		expect(heartbeatIntervalMs(settings({}))).toBe(0);
		expect(heartbeatIntervalMs(settings({ bucket: "s3://media" }))).toBe(5_000);
		expect(heartbeatIntervalMs(settings({ nodePublicHost: "a.example" }))).toBe(5_000);
		expect(heartbeatIntervalMs(settings({ bucket: "s3://media", nodeHeartbeat: "0s" }))).toBe(0);
		expect(heartbeatIntervalMs(settings({ nodeHeartbeat: "2s" }))).toBe(2_000);
		expect(settingsSchema.safeParse({ nodeHeartbeat: "20s" }).success).toBe(false);
	});
});

describe("what a node says of itself", () => {
	it("is right for a heartbeat: who is there, and how much it carries", () => {
		const { load, endpoints, region } = facts({ nodeRegion: "eu" });
		expect(loadSchema.parse(load)).toMatchObject({ streams: 1, readers: 3 });
		expect(endpointsSchema.parse(endpoints)).toMatchObject({ rtsp: 8554, rtsps: null, webrtc: 8889, rtmp: null });
		expect(region).toBe("eu");
	});

	it("names the host that it was told, or that of the functions beside it, or one that it has", () => {
		expect(facts({ nodePublicHost: "a.example" }).host).toBe("a.example");
		expect(facts({}).host).toBeNull();
		expect(facts({ functions: false, webrtcAdditionalHosts: ["203.0.113.7"] }).host).toBe("203.0.113.7");
		expect(facts({ functions: false }).host).not.toBe("127.0.0.1");
	});

	it("leaves out what clients cannot reach", () => {
		expect(facts({ rtspEncryption: "strict" }, { rtsps: 8322 }).endpoints).toMatchObject({ rtsp: null, rtsps: 8322 });
		const behindProxy = facts({ nodePublicWebRTCURL: "https://a.example/live" }, { webrtc: 0 }).endpoints;
		expect(behindProxy).toMatchObject({ webrtc: null, webrtcURL: "https://a.example/live" });
	});
});
