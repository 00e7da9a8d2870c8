/** Media nodes: those that have joined, how they fare, and what an operator does with them. */

import * as z from "zod";
import { endpointsSchema, loadSchema } from "#shared/nodes/heartbeat.ts";
import { nodeIdSchema } from "#shared/nodes/node-id.ts";
import { nodePublicKeySchema } from "#shared/nodes/node-key.ts";
import type { Deps } from "../deps.ts";
import { fleetOf } from "../nodes/fleet.ts";
import { isDraining, isLive, type KnownNode } from "../nodes/node-directory.ts";
import { forgetNode, notFound, registerNode, setDraining } from "../nodes/registrations.ts";
import { respondEmpty, respondJson } from "../respond.ts";
import { route } from "../routing.ts";

const params = z.object({ id: nodeIdSchema });

const nodeSchema = z
	.object({
		id: z.string(),
		state: z
			.enum(["active", "draining", "down"])
			.describe("draining: it takes no new streams; down: nothing was heard of it for 15 s"),
		drainRequested: z.boolean(),
		joinedAt: z.iso.datetime(),
		seenAt: z.iso.datetime().nullable().describe("Its last heartbeat, by the bucket's clock"),
		startedAt: z.iso.datetime().nullable(),
		region: z.string(),
		version: z.string().nullable(),
		host: z.string().nullable().describe("null: that of the functions, or not known"),
		endpoints: endpointsSchema.nullable(),
		load: loadSchema.nullable(),
		sequence: z.int().nullable(),
		clockOffsetMs: z
			.number()
			.nullable()
			.describe(
				"How far its clock is before the bucket's; a node that is more than some seconds behind counts as down",
			),
		fault: z.string().nullable().describe("Why its heartbeat is not believed"),
	})
	.meta({ id: "Node" });
export type NodeDescription = z.infer<typeof nodeSchema>;

const listSchema = z.object({ items: z.array(nodeSchema) }).meta({ id: "NodeList" });

const joinRequest = z
	.strictObject({
		id: nodeIdSchema,
		key: nodePublicKeySchema.describe("The public half of the node's own key"),
		replace: z.boolean().default(false).describe("Take the name over from a node with another key"),
	})
	.meta({ id: "NodeJoinRequest" });

const joinResponse = z
	.object({
		id: z.string(),
		bucket: z
			.string()
			.nullable()
			.describe("The bucket, as settings of nodes name it; null: whoever runs the node knows"),
		credentials: z
			.object({ accessKeyId: z.string(), secretAccessKey: z.string() })
			.nullable()
			.describe("Of the bucket; null unless the functions are told to hand them out"),
		jwksUrl: z.string().describe("The keys of the tokens that the node is to accept"),
		streamKeySecrets: z.array(z.string()).describe("The secrets of the stream keys that the node is to accept"),
	})
	.meta({ id: "NodeJoined" });

export const nodeRoutes = [
	route({
		method: "GET",
		path: "/v1/nodes",
		operationId: "listNodes",
		summary: "List the media nodes",
		access: "api",
		responses: { 200: { description: "Every node that has joined, by name", schema: listSchema } },
		async handler({ deps }) {
			const nodes = await fleetOf(deps).directory.all();
			return respondJson(200, { items: nodes.map((node) => described(deps, node)) });
		},
	}),
	route({
		method: "POST",
		path: "/v1/nodes",
		operationId: "joinNode",
		summary: "Make a machine a media node: registers its public key, and says what it needs to serve",
		access: "node",
		body: joinRequest,
		responses: {
			200: { description: "It had joined before", schema: joinResponse },
			201: { description: "It has joined", schema: joinResponse },
		},
		async handler({ deps, request, body }) {
			const { created } = await registerNode(deps, body);
			const { settings } = deps;
			const base = (settings.publicUrl ?? new URL(request.url).origin).replace(/\/+$/, "");
			return respondJson(created ? 201 : 200, {
				id: body.id,
				bucket: settings.nodeBucket,
				credentials: settings.nodeCredentials,
				jwksUrl: `${base}/.well-known/jwks.json`,
				streamKeySecrets: settings.streamKeySecrets,
			});
		},
	}),
	route({
		method: "POST",
		path: "/v1/nodes/{id}/drain",
		operationId: "drainNode",
		summary: "Let a node take no new streams; those that it has go on",
		access: "api",
		params,
		responses: { 204: { description: "It is no more chosen, and hears of it with its next heartbeat" } },
		async handler({ deps, params }) {
			await setDraining(deps, params.id, true);
			return respondEmpty(204);
		},
	}),
	route({
		method: "DELETE",
		path: "/v1/nodes/{id}/drain",
		operationId: "undrainNode",
		summary: "Let a node take new streams again",
		access: "api",
		params,
		responses: { 204: { description: "It can be chosen again" } },
		async handler({ deps, params }) {
			await setDraining(deps, params.id, false);
			return respondEmpty(204);
		},
	}),
	route({
		method: "GET",
		path: "/v1/nodes/{id}",
		operationId: "getNode",
		summary: "Say how a media node fares",
		access: "api",
		params,
		responses: { 200: { description: "The node", schema: nodeSchema } },
		async handler({ deps, params }) {
			const nodes = await fleetOf(deps).directory.all();
			const node = nodes.find(({ registration }) => registration.id === params.id);
			if (node === undefined) throw notFound(params.id);
			return respondJson(200, described(deps, node));
		},
	}),
	route({
		method: "DELETE",
		path: "/v1/nodes/{id}",
		operationId: "deleteNode",
		summary: "Forget a node: it gets no clients until it joins again",
		access: "api",
		params,
		responses: { 204: { description: "It is no node any more" } },
		async handler({ deps, params }) {
			await forgetNode(deps, params.id);
			return respondEmpty(204);
		},
	}),
];

function described({ clock }: Deps, node: KnownNode): z.infer<typeof nodeSchema> {
	const { registration, heartbeat, seenMs, fault } = node;
	return {
		id: registration.id,
		state: !isLive(node, clock.now()) ? "down" : isDraining(node) ? "draining" : "active",
		drainRequested: registration.draining,
		joinedAt: new Date(registration.joinedMs).toISOString(),
		seenAt: seenMs === null ? null : new Date(seenMs).toISOString(),
		startedAt: heartbeat === null ? null : new Date(heartbeat.startedMs).toISOString(),
		region: heartbeat?.region ?? "",
		version: heartbeat?.version ?? null,
		host: heartbeat?.host ?? null,
		endpoints: heartbeat?.endpoints ?? null,
		load: heartbeat?.load ?? null,
		sequence: heartbeat?.sequence ?? null,
		clockOffsetMs: heartbeat === null || seenMs === null ? null : heartbeat.writtenMs - seenMs,
		fault,
	};
}
