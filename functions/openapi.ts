/** The OpenAPI 3.1 document, made of the routes. */

import * as z from "zod";
import { streamEventSchema } from "#shared/events/event.ts";
import type { Route } from "./routing.ts";

type Json = { [key: string]: unknown };

const problemSchema = z
	.looseObject({
		type: z.string(),
		title: z.string(),
		status: z.int(),
		detail: z.string(),
		code: z.string().describe("A stable code, such as access.token_expired"),
	})
	.meta({ id: "Problem", description: "What went wrong, as RFC 9457 has it" });

/** Describes `routes`, with every schema that has a name in its place. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
	const schemas: Json = {};
	const reference = (schema: z.ZodType, io: "input" | "output") => jsonSchemaOf(schema, io, schemas);
	const problem = {
		description: "A problem document",
		content: { "application/problem+json": { schema: reference(problemSchema, "output") } },
	};
	const paths: Record<string, Json> = {};
	for (const route of routes) {
		paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route, reference, problem) };
	}
	return {
		openapi: "3.1.0",
		info: {
			title: "Sluice",
			version,
			description: "Tokens, path configuration, playback and webhooks of a Sluice bucket.",
			license: { name: "MIT", identifier: "MIT" },
		},
		paths,
		webhooks: {
			streamEvent: {
				post: {
					summary: "A fact about a stream, signed as Standard Webhooks 1.0 asks",
					requestBody: { content: { "application/json": { schema: reference(streamEventSchema, "output") } } },
					responses: { "204": { description: "Taken. Any 2xx will do; everything else is tried again" } },
				},
			},
		},
		components: {
			schemas,
			securitySchemes: {
				bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "An API key, slk_…, or a token" },
			},
		},
	};
}

function operationOf(
	route: Route,
	reference: (schema: z.ZodType, io: "input" | "output") => Json,
	problem: Json,
): Json {
	const responses: Json = {};
	for (const [status, { description, schema, contentType }] of Object.entries(route.responses)) {
		const content = schema
			? { "application/json": { schema: reference(schema, "output") } }
			: contentType
				? { [contentType]: {} }
				: null;
		responses[status] = { description, ...(content === null ? {} : { content }) };
	}
	const bodySchema = route.body && reference(route.body, "input");
	const bodyTypes = ["application/json", ...(route.bodyTypes ?? [])];
	return {
		operationId: route.operationId,
		summary: route.summary,
		parameters: [...parametersOf(route.params, "path", reference), ...parametersOf(route.query, "query", reference)],
		...(bodySchema
			? {
					requestBody: {
						required: true,
						content: Object.fromEntries(bodyTypes.map((type) => [type, { schema: bodySchema }])),
					},
				}
			: {}),
		responses: { ...responses, default: problem },
		// A token in the path is a parameter, which OpenAPI does not count as security.
		security: route.access === "public" || route.access === "path-token" ? [] : [{ bearer: [] }],
		"x-sluice-access": route.access,
		...(route.scope === undefined ? {} : { "x-sluice-scope": route.scope }),
	};
}

function parametersOf(
	schema: z.ZodObject | undefined,
	place: "path" | "query",
	reference: (schema: z.ZodType, io: "input" | "output") => Json,
): Json[] {
	return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
		const type = field as z.ZodType;
		const isRequired = place === "path" || !type.safeParse(undefined).success;
		return {
			name,
			in: place,
			required: isRequired,
			schema: reference(type, "input"),
			...(type.description ? { description: type.description } : {}),
		};
	});
}

/** The JSON Schema of `schema`; what has a name in it goes to `schemas`, and a reference stands in its place. */
function jsonSchemaOf(schema: z.ZodType, io: "input" | "output", schemas: Json): Json {
	const {
		$schema: _,
		$defs = {},
		...root
	} = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json & { $defs?: Json };
	for (const [name, definition] of Object.entries($defs)) schemas[name] ??= relocated(stripped(definition as Json));
	const located = relocated(root) as Json;
	const name = located["id"];
	if (typeof name !== "string") return located;
	const key = io === "input" ? `${name}Input` : name;
	schemas[key] ??= stripped(located);
	return { $ref: `#/components/schemas/${key}` };
}

/** JSON Schema 2020-12 has no `id`. */
function stripped({ id: _, ...rest }: Json): Json {
	return rest;
}

function relocated(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(relocated);
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, inner]) => [
			key,
			key === "$ref" && typeof inner === "string"
				? inner.replace("#/$defs/", "#/components/schemas/")
				: relocated(inner),
		]),
	);
}
