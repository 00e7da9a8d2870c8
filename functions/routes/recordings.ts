import * as z from "zod";
import { parsePathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import { StreamTimelines } from "../dvr/stream-timelines.ts";
import { stretchesOf } from "../dvr/stretches.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const recordings = z
	.object({
		items: z
			.array(z.object({ start: z.iso.datetime(), end: z.iso.datetime() }))
			.describe("When there is something to play, oldest first; gaps of under two target durations are not told"),
		retention: z.number().nullable().describe("For how many seconds segments are kept; null: that is not known"),
	})
	.meta({ id: "Recordings" });
export type Recordings = z.infer<typeof recordings>;

export const recordingRoutes = [
	route({
		method: "GET",
		path: "/v1/streams/{path}/recordings",
		operationId: "listRecordings",
		summary: "Say when a stream was there, as far back as it can be played",
		access: "view",
		scope: "path",
		params: z.object({ path: z.string() }),
		responses: { 200: { description: "What can be played", schema: recordings } },
		async handler({ deps, params }) {
			const name = parsePathName(params.path);
			const record = await readNewest(deps.store, name);
			if (record === null) throw new GoneError("stream.not_found", `Nobody has published to ${name} yet`);
			const timeline = await new StreamTimelines(deps).get(name, record);
			const retentionMs = timeline.head?.retentionMs ?? null;
			const items = stretchesOf(timeline, deps.clock.now()).map(([startMs, endMs]) => ({
				start: new Date(startMs).toISOString(),
				end: new Date(endMs).toISOString(),
			}));
			return respondJson(200, { items, retention: retentionMs === null ? null : retentionMs / 1000 });
		},
	}),
];
