import * as z from "zod";
import { allows, type Permission } from "#shared/access/permission.ts";
import { streamWarningSchema } from "#shared/nodes/node-streams.ts";
import { isPathName, type PathName, parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { keyToPath, pathToKey, STREAMS_PREFIX } from "#shared/store/key.ts";
import { readLease } from "#shared/timeline/lease.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import { renditionSchema } from "#shared/timeline/record.ts";
import type { Deps } from "../deps.ts";
import { fleetOf } from "../nodes/fleet.ts";
import type { LiveStream, LiveStreamList } from "../nodes/live-streams.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const viewers = z
	.object({
		total: z.int(),
		rtsp: z.int(),
		webrtc: z.int(),
		hls: z.int().describe("Who asked this instance of the functions for a playlist within 30 s: an estimate"),
	})
	.meta({ id: "StreamViewers" });

const health = z
	.object({
		since: z.iso.datetime().describe("When the stream began"),
		source: z.object({ type: z.string().describe("Such as rtsp; empty while the stream waits for its publisher") }),
		tracks: z.array(z.object({ kind: z.enum(["video", "audio", "data"]), codec: z.string() })),
		bitsPerSecond: z.number().describe("From its publisher; said anew when it is another by a tenth"),
		viewers,
		uploadLagMs: z.number().describe("How old the oldest segment is that is not in the bucket"),
		keyFrameIntervalMs: z.number().nullable(),
		packetLoss: z
			.number()
			.nullable()
			.describe("Of the publisher's packets, 0 to 1; null where its protocol does not tell"),
		warnings: z.array(streamWarningSchema),
	})
	.meta({ id: "StreamHealth" });

const stream = z
	.object({
		path: z.string(),
		live: z.boolean().describe("Its node is there, and the stream has not ended"),
		node: z.string().nullable(),
		committedAt: z.iso
			.datetime()
			.nullable()
			.describe("When its newest record was committed; null where that was not looked for, or there is none"),
		mediaSequence: z.int().nullable().describe("Of the newest segment; null likewise"),
		targetDuration: z.int().nullable().describe("null: it is not in HLS, or not yet"),
		renditions: z.array(renditionSchema),
		health: health.nullable().describe("null: no node tells"),
	})
	.meta({ id: "Stream" });
export type StreamDescription = z.infer<typeof stream>;

const page = z.object({ items: z.array(stream), next: z.string().nullable() }).meta({ id: "StreamPage" });
export type StreamPage = z.infer<typeof page>;

type Asked = {
	readonly deps: Deps;
	readonly permissions: readonly Permission[];
	readonly live?: boolean | undefined;
	readonly cursor?: string | undefined;
	readonly limit: number;
};

export const streamRoutes = [
	route({
		method: "GET",
		path: "/v1/streams",
		operationId: "listStreams",
		summary: "List the streams: those that are live now, or all in the bucket",
		access: "view",
		scope: "handler",
		query: z.object({
			live: z
				.enum(["true", "false"])
				.transform((text) => text === "true")
				.optional()
				.describe("true: what nodes say is live, which costs no read a stream; false: the others"),
			cursor: z.string().max(300).optional(),
			limit: z.coerce.number().int().min(1).max(100).default(100),
		}),
		responses: { 200: { description: "One page, by name", schema: page } },
		async handler({ deps, claims, query }) {
			const told = await liveStreams(deps);
			const asked = { deps, permissions: claims?.permissions ?? [], ...query };
			return respondJson(200, asked.live === true && told.isTold ? liveOnes(asked, told) : await inBucket(asked, told));
		},
	}),
	route({
		method: "GET",
		path: "/v1/streams/{name}",
		operationId: "getStream",
		summary: "Say how a stream fares",
		access: "view",
		scope: "name",
		params: z.object({ name: z.string() }),
		responses: { 200: { description: "The stream", schema: stream } },
		async handler({ deps, params }) {
			const name = parsePathName(params.name);
			const told = await liveStreams(deps);
			const live = told.streams.get(name) ?? null;
			const described = await describe(deps, name, told);
			if (described !== null) return respondJson(200, described);
			if (live !== null) return respondJson(200, describeLive(deps, live));
			throw new GoneError("stream.not_found", `Nobody has published to ${name} yet`);
		},
	}),
];

function liveStreams(deps: Deps): Promise<LiveStreamList> {
	return fleetOf(deps).streams.all(deps.localNode ?? null);
}

/** From what nodes say alone. */
function liveOnes({ deps, permissions, cursor = "", limit }: Asked, { streams }: LiveStreamList): StreamPage {
	const all = [...streams.values()]
		.map((live) => ({ live, key: pathToKey(live.stream.path) }))
		.filter(({ live, key }) => key > cursor && allows(permissions, "view", live.stream.path))
		.sort((a, b) => (a.key < b.key ? -1 : 1));
	const items = all.slice(0, limit);
	return {
		items: items.map(({ live }) => describeLive(deps, live)),
		next: all.length > limit ? (items.at(-1)?.key ?? null) : null,
	};
}

async function inBucket({ deps, permissions, live, cursor, limit }: Asked, told: LiveStreamList): Promise<StreamPage> {
	const startAfter = cursor === undefined ? {} : { startAfter: STREAMS_PREFIX + cursor };
	const { prefixes, next } = await deps.store.list(STREAMS_PREFIX, { delimiter: "/", limit, ...startAfter });
	const names = prefixes
		.map((prefix) => keyToPath(prefix.slice(STREAMS_PREFIX.length, -1)))
		.filter(isPathName)
		.filter((name) => allows(permissions, "view", name));
	const items = await Promise.all(names.map((name) => describe(deps, name, told)));
	return {
		items: items.filter((item) => item !== null).filter((item) => live === undefined || item.live === live),
		next: next?.slice(STREAMS_PREFIX.length) ?? null,
	};
}

async function describe(deps: Deps, path: PathName, told: LiveStreamList): Promise<StreamDescription | null> {
	const { store, clock } = deps;
	const [record, held] = await Promise.all([readNewest(store, path), readLease(store, path)]);
	if (record === null) return null;
	const isOwned = held !== null && held.lease.expiresMs > clock.now();
	const live = told.streams.get(path) ?? null;
	return {
		path,
		live: (isOwned && record.kind !== "end") || live !== null,
		node: isOwned ? held.lease.owner : (live?.node ?? null),
		committedAt: new Date(record.committedMs).toISOString(),
		mediaSequence: record.window.at(-1)?.sequence ?? null,
		targetDuration: record.targetDuration,
		renditions: record.renditions,
		health: live === null ? null : healthOf(deps, live),
	};
}

function describeLive(deps: Deps, live: LiveStream): StreamDescription {
	const { node, stream } = live;
	return {
		path: stream.path,
		live: true,
		node,
		committedAt: null,
		mediaSequence: null,
		targetDuration: stream.hls?.targetDuration ?? null,
		renditions: stream.hls?.renditions ?? [],
		health: healthOf(deps, live),
	};
}

function healthOf({ served }: Deps, { stream }: LiveStream): NonNullable<StreamDescription["health"]> {
	const { path, hls: _, readers, ...told } = stream;
	const hls = served?.viewersOf(path) ?? 0;
	const { rtsp, webrtc } = readers;
	return { ...told, viewers: { total: rtsp + webrtc + hls, rtsp, webrtc, hls } };
}
