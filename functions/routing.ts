/**
 * Routes as data: each one says its method, path, access rule and schemas, from which both the server and the OpenAPI
 * document are made. There is no route without an access rule, and none that the document leaves out.
 */

import type { z } from "zod";
import type { Action } from "#shared/access/permission.ts";
import type { Claims } from "#shared/access/token.ts";
import type { Deps } from "./deps.ts";

/** `public`: anybody. An action: who has a token for it. `path-token`: the token stands in the path itself. */
export type Access = "public" | "path-token" | Action;

export type Method = "GET" | "PUT" | "PATCH" | "POST" | "DELETE";

export type ResponseDescription = {
	readonly description: string;
	/** Of a JSON body. */
	readonly schema?: z.ZodType;
	/** Of any other body. */
	readonly contentType?: string;
};

export type RouteInput<P, Q, B> = {
	readonly deps: Deps;
	readonly request: Request;
	readonly params: P;
	readonly query: Q;
	readonly body: B;
	/** Who asks; `null` on public routes. */
	readonly claims: Claims | null;
};

export type Route = {
	readonly method: Method;
	/** With parameters in braces, as OpenAPI has it. One at the end takes the rest of the path, slashes and all. */
	readonly path: string;
	readonly operationId: string;
	readonly summary: string;
	readonly access: Access;
	readonly params?: z.ZodObject;
	readonly query?: z.ZodObject;
	readonly body?: z.ZodType;
	/** Beside application/json. */
	readonly bodyTypes?: readonly string[];
	readonly responses: Readonly<Record<number, ResponseDescription>>;
	readonly handler: (input: RouteInput<never, never, never>) => Promise<Response> | Response;
};

type Schema = z.ZodType | undefined;
type Parsed<S extends Schema> = S extends z.ZodType ? z.output<S> : undefined;

/** Declares a route; the handler's input has the types of its schemas. */
export function route<
	P extends z.ZodObject | undefined = undefined,
	Q extends z.ZodObject | undefined = undefined,
	B extends Schema = undefined,
>(
	definition: Omit<Route, "params" | "query" | "body" | "handler"> & {
		readonly params?: P;
		readonly query?: Q;
		readonly body?: B;
		readonly handler: (input: RouteInput<Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<Response> | Response;
	},
): Route {
	return definition as Route;
}

/** The path in the form of the router. */
export function routerPath(path: string): string {
	return path
		.replace(/\{(\w+)\}$/, ":$1{.+}")
		.replace(/\{(\w+)\}(?!$)/g, (whole, name: string, at: number) => (path[at - 1] === "/" ? `:${name}` : whole));
}
