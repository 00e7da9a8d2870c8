/** Where publishers and viewers are sent: to the media node that serves them best. */

import * as z from "zod";
import { queryToken } from "#shared/access/query-token.ts";
import { isStreamKey } from "#shared/access/stream-key.ts";
import { regionSchema } from "#shared/nodes/node-id.ts";
import { type PathName, parsePathName } from "#shared/path-name.ts";
import type { Deps } from "../deps.ts";
import { findNodes } from "../nodes/fleet.ts";
import type { LiveNode } from "../nodes/node-directory.ts";
import { nodeUrls, webrtcBase } from "../nodes/node-urls.ts";
import { shownBy } from "../path-access.ts";
import { respondEmpty, respondJson } from "../respond.ts";
import { type Route, route } from "../routing.ts";

/** More nodes are no help to a client that cannot reach these. */
const MAX_ALTERNATIVES = 3;
const MAX_AVOID_CHARS = 512;

const params = z.object({ path: z.string() });
const query = z.object({
	region: regionSchema.default("").describe("Where the client is: nodes there come first"),
	avoid: z
		.string()
		.max(MAX_AVOID_CHARS)
		.default("")
		.transform((text) => text.split(","))
		.describe(
			"Names of nodes, separated by commas, that the client could not reach: others come first. A node that is dead is known as such after 15 seconds alone",
		),
});

const url = z.string().nullable();
const placeSchema = z
	.object({
		node: z.object({ id: z.string(), region: z.string() }),
		urls: z
			.object({ rtsp: url, rtsps: url, whip: url, whep: url, page: url, rtmp: url, srt: url })
			.describe("Without credentials; null: the node does not serve that protocol"),
	})
	.meta({ id: "MediaPlace" });
type Place = z.infer<typeof placeSchema>;

const routingSchema = placeSchema
	.extend({
		path: z.string(),
		action: z.enum(["publish", "read"]),
		live: z
			.boolean()
			.describe("A node has the stream of the path now; it is the one named here, if it takes the client"),
		hls: z.string().nullable().describe("Where the functions serve the stream over HLS, with the token that was shown"),
		alternatives: z.array(placeSchema).describe("Other nodes, the best one first"),
	})
	.meta({ id: "MediaRouting" });
export type MediaRouting = z.infer<typeof routingSchema>;

export const routingRoutes: readonly Route[] = [
	redirecting("whip", "publish", "Publish over WHIP: sends the client on to a media node, as RFC 9725 §4.5 has it"),
	redirecting("whep", "read", "Watch over WHEP: sends the client on to the media node that has the stream"),
	answering("ingest", "publish", "Say where a path is to be published, by every protocol"),
	answering("read", "read", "Say where a path can be watched, by every protocol"),
];

function redirecting(endpoint: "whip" | "whep", action: "publish" | "read", summary: string): Route {
	return route({
		method: "POST",
		path: `/${endpoint}/{path}`,
		operationId: endpoint,
		summary,
		access: `path-${action}`,
		params,
		query,
		responses: { 307: { description: "Location: the same endpoint of a media node, with the query" } },
		async handler({ deps, request, params, query }) {
			const path = parsePathName(params.path);
			const { nodes } = await findNodes(deps, { action, path, ...query, protocol: "webrtc" });
			const base = webrtcBase(nodes[0].heartbeat, ownHost(deps, request));
			return respondEmpty(307, { location: `${base}/${path}/${endpoint}${queryFor(request)}` });
		},
	});
}

function answering(name: "ingest" | "read", action: "publish" | "read", summary: string): Route {
	return route({
		method: "GET",
		path: `/${name}/{path}`,
		operationId: name === "ingest" ? "getIngest" : "getRead",
		summary,
		access: `path-${action}`,
		params,
		query,
		responses: { 200: { description: "Addresses on the best node", schema: routingSchema } },
		async handler({ deps, request, params, query }) {
			const path = parsePathName(params.path);
			const { nodes, isLive } = await findNodes(deps, { action, path, ...query });
			const [best, ...others] = nodes;
			const placeOf = (node: LiveNode) => describe(node, action, path, ownHost(deps, request));
			return respondJson(200, {
				path,
				action,
				live: isLive,
				...placeOf(best),
				hls: action === "read" ? hlsUrl(deps, request, path) : null,
				alternatives: others.slice(0, MAX_ALTERNATIVES).map(placeOf),
			});
		},
	});
}

function describe({ heartbeat }: LiveNode, action: "publish" | "read", path: PathName, host: string): Place {
	return { node: { id: heartbeat.id, region: heartbeat.region }, urls: nodeUrls(heartbeat, action, path, host) };
}

function baseUrl({ settings }: Deps, request: Request): string {
	return (settings.publicUrl ?? new URL(request.url).origin).replace(/\/+$/, "");
}

function ownHost(deps: Deps, request: Request): string {
	return new URL(baseUrl(deps, request)).hostname;
}

/** `null` for a stream key, which stands in no address of playback. */
function hlsUrl(deps: Deps, request: Request, path: PathName): string | null {
	const token = shownBy(request).find((text) => text !== "");
	return token === undefined || isStreamKey(token) ? null : `${baseUrl(deps, request)}/${token}/${path}/index.m3u8`;
}

/**
 * The query, kept as it came. A browser takes the header `Authorization` away when a redirect leads to another origin
 * (Fetch standard, HTTP-redirect fetch): there the token goes on in the query.
 */
function queryFor(request: Request): string {
	const { search } = new URL(request.url);
	const token = shownBy(request).find((text) => text !== "") ?? "";
	if (!request.headers.has("origin") || token === "" || queryToken(search) !== "") return search;
	return `${search === "" ? "?" : `${search}&`}token=${encodeURIComponent(token)}`;
}
