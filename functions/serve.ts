/** Serves a route of the table: limits, who asks, whether they may, what they bring, the handler, the audit log. */

import { ACTIONS } from "#shared/access/permission.ts";
import { hasCode } from "#shared/problem.ts";
import { type Caller, expectAllowed, recognize } from "./access/caller.ts";
import type { KnownKeys } from "./access/known-keys.ts";
import { type Audited, writeAudit } from "./audit/audit-log.ts";
import type { Change } from "./audit/change.ts";
import { recordingStore } from "./audit/recording-store.ts";
import { withEtag } from "./conditional.ts";
import type { Deps } from "./deps.ts";
import { check, readBody } from "./input.ts";
import type { Limits } from "./limits/rate-limits.ts";
import { checkShown, shownBy } from "./path-access.ts";
import type { Route } from "./routing.ts";

/** What an instance keeps between requests to serve them. */
export type Services = { readonly deps: Deps; readonly keys: KnownKeys; readonly limits: Limits };

/** @throws SluiceError */
export async function serve(
	definition: Route,
	{ deps, keys, limits }: Services,
	request: Request,
	environment: unknown,
	params: Record<string, string>,
): Promise<Response> {
	const address = deps.viewerOf(request, environment).ip;
	const isMedia = isForMedia(definition);
	if (isMedia) limits.media(address);
	else limits.request(address);
	let claims: Caller | null;
	try {
		claims = await callerOf(definition, deps, keys, request, params);
	} catch (error) {
		if (!isMedia) limits.failed(address, error);
		throw error;
	}
	if (claims !== null && !isMedia) limits.caller(`${claims.kind} ${claims.tokenId} ${claims.subject}`);
	const change: Change = {
		target: Object.values(params).join(" "),
		before: null,
		after: null,
		detail: {},
		objects: [],
		isAudited: isChange(definition),
	};
	const input = {
		deps: change.isAudited ? { ...deps, store: recordingStore(deps.store, change.objects) } : deps,
		keys,
		request,
		claims,
		change,
		params: definition.params && check(definition.params, params, "path"),
		query: definition.query && check(definition.query, Object.fromEntries(new URL(request.url).searchParams), "query"),
		body: await readBody(request, definition),
	};
	const audited = (outcome: Audited["outcome"]) =>
		claims === null || !change.isAudited
			? Promise.resolve()
			: writeAudit(deps, { caller: claims, address, action: definition.operationId, change, outcome });
	let response: Response;
	try {
		response = await definition.handler(input as never);
	} catch (error) {
		// The bucket may have taken a write before it stopped answering. What is missing then is in the log of the functions.
		if (hasCode(error, "store.unavailable", "aborted")) await audited("unknown").catch(() => undefined);
		throw error;
	}
	if (response.ok) await audited("done");
	return withEtag(request, response);
}

/** Who asks, if they may; `null` on public routes. @throws DeniedError */
async function callerOf(
	definition: Route,
	deps: Deps,
	keys: KnownKeys,
	request: Request,
	params: Record<string, string>,
): Promise<Caller | null> {
	const { access } = definition;
	if (access === "public") return null;
	if (access === "path-publish" || access === "path-read") {
		const action = access === "path-read" ? "read" : "publish";
		return { ...(await checkShown(deps, action, params["path"] ?? "", shownBy(request))), kind: "token" };
	}
	const caller = await recognize(deps, keys, request);
	expectAllowed(definition, caller.permissions, params);
	return caller;
}

/** Many clients of media can be behind one address, and use one token. */
function isForMedia({ access, rate }: Route): boolean {
	return rate === "media" || access === "path-publish" || access === "path-read";
}

function isChange({ access, method, isAudited }: Route): boolean {
	return method !== "GET" && isAudited !== false && (ACTIONS as readonly string[]).includes(access);
}
