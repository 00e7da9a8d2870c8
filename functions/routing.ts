/**
 * Routes as data: each one says its method, path, access rule and schemas, from which both the server and the OpenAPI
 * document are made. There is no route without an access rule, and none that the document leaves out.
 */

import type { z } from "zod";
import type { Action } from "#shared/access/permission.ts";
import type { Caller } from "./access/caller.ts";
import type { KnownKeys } from "./access/known-keys.ts";
import type { Change } from "./audit/change.ts";
import type { Deps } from "./deps.ts";

/**
 * `public`: anybody. An action: who has a token for it. `path-token`: the token stands in the path itself. `path-publish`
 * and `path-read`: who has a token or stream key for the path that the parameter `path` names, wherever clients of media
 * can put it.
 */
export type Access = "public" | "path-token" | "path-publish" | "path-read" | Action;

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
	readonly claims: Caller | null;
	/** What the audit log says of this request; routes that change something fill it in. */
	readonly change: Change;
	readonly keys: KnownKeys;
};

export type Route = {
	readonly method: Method;
	/** With parameters in braces, as OpenAPI has it. One at the end takes the rest of the path, slashes and all; so does `{path}` anywhere. */
	readonly path: string;
	readonly operationId: string;
	readonly summary: string;
	readonly access: Access;
	/**
	 * How the paths of who asks are kept, where `access` is an action. The name of a parameter: it is the path, and must be
	 * one of theirs. `handler`: the handler leaves out what is not theirs. Left out: every path must be theirs.
	 */
	readonly scope?: "handler" | "name" | "path";
	/** `media`: as often as clients of media ask (`limits/rate-limits.ts`). They do on `path-…` routes anyway. */
	readonly rate?: "media";
	/** Says that requests change nothing that an administrator answers for, though they are no GET. */
	readonly isAudited?: false;
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

/** The path in the form of the router. A parameter that is called `path` takes slashes wherever it stands. */
export function routerPath(path: string): string {
	return path
		.replace(/\{path\}(?=\/)/g, ":path{.+}")
		.replace(/\{(\w+)\}$/, ":$1{.+}")
		.replace(/\{(\w+)\}(?!$)/g, (whole, name: string, at: number) => (path[at - 1] === "/" ? `:${name}` : whole));
}
