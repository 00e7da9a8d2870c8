/** What a node says of itself in its heartbeats, from its settings and parts. Part of the wiring. */

import os from "node:os";
import type { Clock } from "#shared/clock.ts";
import { durationMs } from "#shared/config/duration.ts";
import type { Settings } from "#shared/config/settings.ts";
import type { NodeEndpoints } from "#shared/nodes/heartbeat.ts";
import { parseBucketLocation } from "#shared/store/bucket-location.ts";
import type { HeartbeatFacts } from "./control/heartbeat.ts";
import { type CpuTimes, type Flow, LoadMeter } from "./control/load-meter.ts";
import type { PathTable } from "./paths/path-table.ts";
import type { RtspServer } from "./rtsp/server.ts";
import type { WebRtcServer } from "./webrtc/server.ts";

const DEFAULT_INTERVAL_MS = 5_000;

/** How often the node beats; 0: never. Each heartbeat in a bucket that is paid for costs a little. */
export function heartbeatIntervalMs({ nodeHeartbeat, nodePublicHost, bucket }: Settings): number {
	if (nodeHeartbeat !== undefined) return durationMs(nodeHeartbeat);
	return nodePublicHost !== "" || parseBucketLocation(bucket).kind !== "folder" ? DEFAULT_INTERVAL_MS : 0;
}

export type HeartbeatParts = {
	readonly clock: Clock;
	readonly settings: () => Settings;
	readonly table: PathTable;
	readonly rtsp: () => RtspServer | null;
	readonly webrtc: () => WebRtcServer | null;
};

/** Gives the facts of a moment; loads are about the time since the last call. */
export function heartbeatFacts({ clock, settings, table, rtsp, webrtc }: HeartbeatParts): () => HeartbeatFacts {
	const meter = new LoadMeter({ clock });
	return () => {
		const streams = table.list();
		const flows: Flow[] = [
			...streams.map(({ id, bytesReceived }) => ({ id, received: bytesReceived, sent: 0 })),
			...[...(rtsp()?.sessions() ?? []), ...(webrtc()?.sessions() ?? [])].map(({ id, bytesSent }) => ({
				id: `to ${id}`,
				received: 0,
				sent: bytesSent,
			})),
		];
		return {
			region: settings().nodeRegion,
			host: publicHost(settings()),
			endpoints: endpointsOf(settings(), rtsp(), webrtc()),
			load: meter.read({
				cpu: cpuTimes(),
				streams: streams.filter(({ ready }) => ready).length,
				readers: streams.reduce((sum, { readers }) => sum + readers.length, 0),
				flows,
			}),
		};
	};
}

/** `null`: that of the functions, which are beside the node. */
function publicHost({ nodePublicHost, functions, webrtcAdditionalHosts }: Settings): string | null {
	if (nodePublicHost !== "") return nodePublicHost;
	return functions ? null : (webrtcAdditionalHosts[0] ?? interfaceAddress());
}

function interfaceAddress(): string | null {
	const addresses = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
	return addresses.find(({ internal, family }) => !internal && family === "IPv4")?.address ?? null;
}

function endpointsOf(settings: Settings, rtsp: RtspServer | null, webrtc: WebRtcServer | null): NodeEndpoints {
	return {
		rtsp: rtsp === null || settings.rtspEncryption === "strict" ? null : rtsp.port,
		rtsps: rtsp?.securePort ?? null,
		// A server behind a Unix socket has no port: clients reach it through its proxy alone.
		webrtc: webrtc === null || webrtc.port === 0 ? null : webrtc.port,
		webrtcEncryption: settings.webrtcEncryption,
		webrtcURL: webrtc === null ? null : (settings.nodePublicWebRTCURL ?? null),
		rtmp: null,
		srt: null,
	};
}

function cpuTimes(): CpuTimes {
	const { user, system } = process.cpuUsage();
	let totalMs = 0;
	let idleMs = 0;
	for (const { times } of os.cpus()) {
		totalMs += times.user + times.nice + times.sys + times.idle + times.irq;
		idleMs += times.idle;
	}
	return { processMs: (user + system) / 1000, busyMs: totalMs - idleMs, totalMs };
}
