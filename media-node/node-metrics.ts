/** The metrics of a node: MediaMTX's names where it has the figure, and Sluice's own. Part of the wiring. */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { EventReporter } from "./control/event-reporter.ts";
import type { LiveHls } from "./live-hls.ts";
import type { ForwardSnapshot } from "./paths/forward-runner.ts";
import type { Forwards } from "./paths/forwards.ts";
import type { PathTable } from "./paths/path-table.ts";
import type { RtspServer } from "./rtsp/server.ts";
import type { Transcoders, TranscodeSnapshot } from "./transcode/transcoders.ts";
import type { PeerSnapshot } from "./webrtc/peer-session.ts";
import type { WebRtcServer } from "./webrtc/server.ts";

/** From a quick put into a folder to one that hardly comes through. */
const UPLOAD_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is counted as it happens; the rest is read off when somebody asks. */
export type NodeMetrics = {
	readonly registry: Registry;
	readonly uploadSeconds: Histogram;
	readonly segmentsLost: Counter<"path" | "reason">;
	/** Reads the figures of these parts off at each scrape. */
	watch(parts: WatchedParts): void;
};

export type WatchedParts = {
	readonly table: PathTable;
	readonly hls: LiveHls;
	readonly forwards: Forwards;
	readonly transcoders: Transcoders;
	readonly reporter: EventReporter;
	readonly rtsp: () => RtspServer | null;
	readonly webrtc: () => WebRtcServer | null;
};

export function createMetrics(): NodeMetrics {
	const registry = new Registry();
	const registers = [registry];
	const uploadSeconds = new Histogram({
		name: "sluice_upload_seconds",
		help: "How long the upload of a segment took, repeated attempts included",
		buckets: UPLOAD_BUCKETS_S,
		registers,
	});
	const segmentsLost = new Counter({
		name: "sluice_segments_lost_total",
		help: "Segments that will never be committed",
		labelNames: ["path", "reason"] as const,
		registers,
	});
	return { registry, uploadSeconds, segmentsLost, watch: (parts) => watch(registry, parts) };
}

type Sample = { readonly labels: Record<string, string>; readonly value: number };

function watch(registry: Registry, { table, hls, forwards, transcoders, reporter, rtsp, webrtc }: WatchedParts): void {
	const gauge = (name: string, help: string, labelNames: string[], read: () => Sample[]) =>
		new Gauge({
			name,
			help,
			labelNames,
			registers: [registry],
			collect() {
				this.reset();
				for (const { labels, value } of read()) this.set(labels, value);
			},
		});

	const ofPaths = (value: (snapshot: ReturnType<PathTable["list"]>[number]) => number) => () =>
		table.list().map((snapshot) => ({
			labels: { name: snapshot.name, state: snapshot.ready ? "ready" : "notReady" },
			value: value(snapshot),
		}));
	gauge(
		"paths",
		"Streams by path",
		["name", "state"],
		ofPaths(() => 1),
	);
	gauge(
		"paths_inbound_bytes",
		"Bytes that the publishers of a stream sent",
		["name", "state"],
		ofPaths((path) => path.bytesReceived),
	);
	gauge(
		"paths_inbound_frames_in_error",
		"Packets and units that were malformed or incomplete",
		["name", "state"],
		ofPaths((path) => path.packetErrors + path.unitsDropped),
	);
	gauge(
		"paths_readers",
		"Clients that read a stream from this node",
		["name", "state"],
		ofPaths((path) => path.readers.length),
	);

	const ofSessions = (value: (session: ReturnType<RtspServer["sessions"]>[number]) => number) => () =>
		(rtsp()?.sessions() ?? []).map((session) => ({
			labels: {
				id: session.id.slice(0, 8),
				path: session.path ?? "",
				remoteAddr: session.remoteAddress,
				state: session.state,
			},
			value: value(session),
		}));
	const sessionLabels = ["id", "path", "remoteAddr", "state"];
	gauge(
		"rtsp_sessions",
		"RTSP sessions",
		sessionLabels,
		ofSessions(() => 1),
	);
	gauge(
		"rtsp_sessions_inbound_bytes",
		"Bytes from a client",
		sessionLabels,
		ofSessions((session) => session.bytesReceived),
	);
	gauge(
		"rtsp_sessions_outbound_bytes",
		"Bytes to a client",
		sessionLabels,
		ofSessions((session) => session.bytesSent),
	);
	gauge(
		"rtsp_sessions_outbound_rtp_packets",
		"RTP packets to a client",
		sessionLabels,
		ofSessions((session) => session.packetsSent),
	);
	gauge(
		"rtsp_sessions_outbound_rtp_packets_discarded",
		"RTP packets that a slow client did not get",
		sessionLabels,
		ofSessions((session) => session.packetsDiscarded),
	);
	gauge(
		"rtsp_sessions_inbound_rtp_packets_lost",
		"RTP packets of a publisher that never came",
		sessionLabels,
		ofSessions((session) => session.packetsLost),
	);

	const ofPeers = (value: (peer: PeerSnapshot) => number) => () =>
		(webrtc()?.sessions() ?? []).map((peer) => ({
			labels: { id: peer.id.slice(0, 8), path: peer.path, remoteAddr: peer.remoteAddress, state: peer.state },
			value: value(peer),
		}));
	const peerGauges: readonly [string, string, (peer: PeerSnapshot) => number][] = [
		["webrtc_sessions", "WebRTC sessions", () => 1],
		["webrtc_sessions_inbound_bytes", "Bytes from a peer", (peer) => peer.bytesReceived],
		["webrtc_sessions_outbound_bytes", "Bytes to a peer", (peer) => peer.bytesSent],
		["webrtc_sessions_inbound_rtp_packets", "Packets from a peer", (peer) => peer.packetsReceived],
		["webrtc_sessions_outbound_rtp_packets", "Packets to a peer", (peer) => peer.packetsSent],
		[
			"webrtc_sessions_inbound_rtp_packets_lost",
			"Packets of a publisher that never came",
			(peer) => (peer.state === "publish" ? peer.packetsLost : 0),
		],
		[
			"webrtc_sessions_outbound_frames_discarded",
			"Packets of pictures that a viewer on a thin link was spared",
			(peer) => peer.framesDiscarded,
		],
		[
			"webrtc_sessions_packets_lost",
			"Packets that never came, at the node or at the viewer",
			(peer) => peer.packetsLost,
		],
		["webrtc_sessions_packets_repaired", "Lost packets that were sent again", (peer) => peer.packetsRepaired],
		["webrtc_sessions_jitter_seconds", "Jitter, of the track where it is highest", (peer) => peer.jitter],
		["webrtc_sessions_round_trip_seconds", "Round trip; 0 until it is known", (peer) => peer.roundTrip ?? 0],
		["webrtc_sessions_bitrate", "Bits of media per second", (peer) => peer.bitrate],
		["webrtc_sessions_key_frame_requests", "Key frames that were asked for", (peer) => peer.keyFrameRequests],
		["webrtc_sessions_freezes", "Times that video was held up for a thin link", (peer) => peer.freezes],
	];
	for (const [name, help, value] of peerGauges) gauge(name, help, sessionLabels, ofPeers(value));

	const ofForwards = (value: (forward: ForwardSnapshot) => number) => () =>
		forwards.list().map((forward) => ({
			labels: {
				id: forward.id.slice(0, 8),
				path: forward.path,
				protocol: forward.protocol,
				state: forward.state,
			},
			value: value(forward),
		}));
	const forwardLabels = ["id", "path", "protocol", "state"];
	gauge(
		"forward_dests",
		"Destinations to which streams are sent on",
		forwardLabels,
		ofForwards(() => 1),
	);
	gauge(
		"forward_dests_outbound_bytes",
		"Bytes to a destination",
		forwardLabels,
		ofForwards((forward) => forward.outboundBytes),
	);

	const transcodes: readonly [string, string, (transcode: TranscodeSnapshot) => number][] = [
		["transcodes", "Sound that is made into another codec", () => 1],
		["transcodes_packets_in", "Frames of sound to be made into another codec", (each) => each.packetsIn],
		["transcodes_packets_out", "Packets of sound in the other codec", (each) => each.packetsOut],
		["transcodes_dropped", "Frames of sound that could not be taken", (each) => each.dropped],
		["transcodes_restarts", "Times that the program was started again", (each) => each.restarts],
		["transcodes_cpu_seconds", "CPU time of the program that runs, where the system tells", (each) => each.cpuSeconds],
	];
	for (const [name, help, value] of transcodes) {
		gauge(name, help, ["path", "from", "to"], () => samplesOf(transcoders.list(), value));
	}

	type Upload = ReturnType<LiveHls["metrics"]>[number]["metrics"];
	const ofUploads = (value: (metrics: Upload) => number | null) => () =>
		hls.metrics().flatMap(({ path, metrics }) => {
			const read = value(metrics);
			return read === null ? [] : [{ labels: { path }, value: read }];
		});
	gauge(
		"sluice_segments_committed_total",
		"Segments committed to the stream's timeline by this owner",
		["path"],
		ofUploads((m) => m.segmentsCommitted),
	);
	gauge(
		"sluice_upload_lag_seconds",
		"From the end of the last committed segment to its commit",
		["path"],
		ofUploads((m) => (m.lastCommitLagMs === null ? null : m.lastCommitLagMs / 1000)),
	);
	gauge(
		"sluice_upload_queue_segments",
		"Segments that wait in memory",
		["path"],
		ofUploads((m) => m.queueItems),
	);
	gauge(
		"sluice_upload_queue_bytes",
		"Bytes of the segments that wait in memory",
		["path"],
		ofUploads((m) => m.queueBytes),
	);
	gauge(
		"sluice_spool_segments",
		"Segments that wait on disk",
		["path"],
		ofUploads((m) => m.spoolItems),
	);
	gauge(
		"sluice_spool_bytes",
		"Bytes of the segments that wait on disk",
		["path"],
		ofUploads((m) => m.spoolBytes),
	);
	gauge(
		"sluice_bucket_retries_total",
		"Requests to the bucket that failed and were tried again",
		["path"],
		ofUploads((m) => m.retries),
	);
	gauge(
		"sluice_bucket_away",
		"1 while the bucket does not answer and segments go to disk",
		["path"],
		ofUploads((m) => (m.isAway ? 1 : 0)),
	);
	gauge("sluice_events_waiting", "Events that are not in the bucket yet", [], () => [
		{ labels: {}, value: reporter.waiting },
	]);
}

/** One sample for all tracks of a path that are made into the same. */
function samplesOf(list: readonly TranscodeSnapshot[], value: (transcode: TranscodeSnapshot) => number): Sample[] {
	const groups = Map.groupBy(list, ({ path, from, to }) => JSON.stringify([path, from, to]));
	return [...groups.values()].flatMap((group) => {
		const [first] = group;
		if (first === undefined) return [];
		const { path, from, to } = first;
		return [{ labels: { path, from, to }, value: group.reduce((sum, each) => sum + value(each), 0) }];
	});
}
