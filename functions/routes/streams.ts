import * as z from "zod";
import { allows } from "#shared/access/permission.ts";
import { isPathName, type PathName, parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { keyToPath, STREAMS_PREFIX } from "#shared/store/key.ts";
import { readLease } from "#shared/timeline/lease.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import { renditionSchema } from "#shared/timeline/record.ts";
import type { Deps } from "../deps.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const stream = z
	.object({
		path: z.string(),
		live: z.boolean().describe("Its node is there, and the stream has not ended"),
		node: z.string().nullable(),
		committedAt: z.iso.datetime().describe("When its newest record was committed"),
		mediaSequence: z.int().nullable().describe("Of the newest segment"),
		targetDuration: z.int(),
		renditions: z.array(renditionSchema),
	})
	.meta({ id: "Stream" });
type StreamDescription = z.infer<typeof stream>;

const page = z.object({ items: z.array(stream), next: z.string().nullable() }).meta({ id: "StreamPage" });

export const streamRoutes = [
	route({
		method: "GET",
		path: "/v1/streams",
		operationId: "listStreams",
		summary: "List the streams in the bucket",
		access: "view",
		scope: "handler",
		query: z.object({
			cursor: z.string().max(300).optional(),
			limit: z.coerce.number().int().min(1).max(100).default(100),
		}),
		responses: { 200: { description: "One page, by name", schema: page } },
		async handler({ deps, claims, query: { cursor, limit } }) {
			const startAfter = cursor === undefined ? {} : { startAfter: STREAMS_PREFIX + cursor };
			const { prefixes, next } = await deps.store.list(STREAMS_PREFIX, { delimiter: "/", limit, ...startAfter });
			const names = prefixes
				.map((prefix) => keyToPath(prefix.slice(STREAMS_PREFIX.length, -1)))
				.filter(isPathName)
				.filter((name) => allows(claims?.permissions ?? [], "view", name));
			const items = await Promise.all(names.map((name) => describe(deps, name)));
			return respondJson(200, {
				items: items.filter((item) => item !== null),
				next: next?.slice(STREAMS_PREFIX.length) ?? null,
			});
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
			const described = await describe(deps, name);
			if (described === null) throw new GoneError("stream.not_found", `Nobody has published to ${name} yet`);
			return respondJson(200, described);
		},
	}),
];

async function describe({ store, clock }: Deps, path: PathName): Promise<StreamDescription | null> {
	const [record, held] = await Promise.all([readNewest(store, path), readLease(store, path)]);
	if (record === null) return null;
	const isOwned = held !== null && held.lease.expiresMs > clock.now();
	return {
		path,
		live: isOwned && record.kind !== "end",
		node: isOwned ? held.lease.owner : null,
		committedAt: new Date(record.committedMs).toISOString(),
		mediaSequence: record.window.at(-1)?.sequence ?? null,
		targetDuration: record.targetDuration,
		renditions: record.renditions,
	};
}
