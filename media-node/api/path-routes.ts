/** Paths over the control API: those that have a stream, and those that have an entry of their own. */

import type { PathConfig } from "#shared/config/path-config.ts";
import { sourcesOf } from "#shared/config/rules.ts";
import { sourceScheme } from "#shared/config/source.ts";
import { GoneError } from "#shared/problem.ts";
import type { StreamSnapshot } from "../stream/stream.ts";
import type { ControlParts, ControlRoute } from "./control-route.ts";
import { paginate } from "./pagination.ts";
import { codecNameOf, type TrackJson, trackJson } from "./track-json.ts";

type PathParts = Pick<ControlParts, "paths" | "sessions" | "configs">;
type Entity = { readonly type: string; readonly id: string };

/** A path as MediaMTX shows it. Times are of RFC 3339. */
export type PathJson = {
	readonly name: string;
	readonly confName: string;
	readonly ready: boolean;
	readonly readyTime: string | null;
	readonly available: boolean;
	readonly availableTime: string | null;
	readonly online: boolean;
	readonly onlineTime: string | null;
	readonly source: Entity | null;
	readonly tracks: readonly string[];
	readonly tracks2: readonly TrackJson[];
	readonly readers: readonly Entity[];
	readonly inboundBytes: number;
	readonly outboundBytes: number;
	readonly inboundFramesInError: number;
	readonly bytesReceived: number;
	readonly bytesSent: number;
};

export function pathRoutes(parts: PathParts): ControlRoute[] {
	return [
		{ method: "GET", path: "/paths/list", handle: ({ query }) => listPaths(parts, query) },
		{
			method: "GET",
			path: "/paths/get/*",
			handle: ({ name }) => {
				const stream = parts.paths().find((path) => path.name === name);
				const idle = parts.configs().exact.get(name);
				if (stream !== undefined) return streamJson(stream, parts, sentBytes(parts));
				if (idle !== undefined) return idleJson(name, idle);
				throw new GoneError("http.not_found", "path not found");
			},
		},
	];
}

function listPaths(parts: PathParts, query: URLSearchParams) {
	const streams = new Map<string, StreamSnapshot>(parts.paths().map((stream) => [stream.name, stream]));
	const { exact } = parts.configs();
	const page = paginate([...new Set([...streams.keys(), ...exact.keys()])].sort(), query);
	const sent = sentBytes(parts);
	const items = page.items.flatMap((name) => {
		const stream = streams.get(name);
		const idle = exact.get(name);
		if (stream !== undefined) return [streamJson(stream, parts, sent)];
		return idle === undefined ? [] : [idleJson(name, idle)];
	});
	return { ...page, items };
}

function streamJson(stream: StreamSnapshot, { configs }: PathParts, sent: ReadonlyMap<string, number>): PathJson {
	const { publisher, ready } = stream;
	const configured = configs().find(stream.name);
	const since = new Date(stream.sinceMs).toISOString();
	const online = publisher !== null && publisher.role !== "offline";
	const received = stream.bytesReceived;
	const bytesSent = stream.readers.reduce((sum, { id }) => sum + (sent.get(id) ?? 0), 0);
	return {
		name: stream.name,
		confName: configured?.name ?? "",
		...times(ready ? since : null, online ? since : null),
		source:
			online && publisher !== null
				? { type: publisher.type ?? publisher.protocol, id: publisher.id }
				: configured === null
					? null
					: sourceOf(configured.config),
		tracks: stream.tracks.map(codecNameOf),
		tracks2: stream.tracks.map(trackJson),
		readers: stream.readers.map(({ type, id }) => ({ type, id })),
		inboundBytes: received,
		outboundBytes: bytesSent,
		inboundFramesInError: stream.packetErrors + stream.unitsDropped,
		bytesReceived: received,
		bytesSent,
	};
}

function idleJson(name: string, config: PathConfig): PathJson {
	return {
		name,
		confName: name,
		...times(null, null),
		source: sourceOf(config),
		tracks: [],
		tracks2: [],
		readers: [],
		inboundBytes: 0,
		outboundBytes: 0,
		inboundFramesInError: 0,
		bytesReceived: 0,
		bytesSent: 0,
	};
}

/** `ready` is the old name of `available`. */
function times(available: string | null, online: string | null) {
	return {
		ready: available !== null,
		readyTime: available,
		available: available !== null,
		availableTime: available,
		online: online !== null,
		onlineTime: online,
	};
}

const SOURCE_TYPES: Readonly<Record<string, string>> = {
	"udp+rtp://": "rtpSource",
	"unix+rtp://": "rtpSource",
	"udp+mpegts://": "mpegtsSource",
	"unix+mpegts://": "mpegtsSource",
	"udp://": "mpegtsSource",
	"rtmp://": "rtmpSource",
	"rtmps://": "rtmpSource",
	"http://": "hlsSource",
	"https://": "hlsSource",
	"srt://": "srtSource",
	"moqt://": "moqSource",
	"whep://": "webRTCSource",
	"wheps://": "webRTCSource",
};

/** What the node itself brings, or would; `null`: that is left to clients. */
function sourceOf(config: PathConfig): Entity | null {
	const [source = "publisher"] = sourcesOf(config);
	if (source === "publisher") return null;
	const scheme = sourceScheme(source);
	const type =
		scheme !== null ? (SOURCE_TYPES[scheme] ?? "rtspSource") : source === "redirect" ? source : `${source}Source`;
	return { type, id: "" };
}

/** By reader, what it got so far. */
function sentBytes({ sessions }: PathParts): Map<string, number> {
	return new Map(sessions().map(({ id, bytesSent }) => [id, bytesSent]));
}
