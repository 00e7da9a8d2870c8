import type { Action } from "#shared/access/permission.ts";
import type { AccessRequest, Grant } from "../access/access.ts";
import { httpCredentials } from "../http/http-credentials.ts";
import type { HttpRequest } from "../http/http-exchange.ts";

/** Asks whether a request may be made. @throws DeniedError, StoreError as `Authenticator.authorize` */
export function expectAccess(
	request: HttpRequest,
	action: Extract<Action, "api" | "metrics">,
	authorize: (request: AccessRequest, signal: AbortSignal) => Promise<Grant>,
): Promise<Grant> {
	const { ip, query, userAgent, authorization, signal } = request;
	const access = { action, path: "", protocol: "", ip, ...httpCredentials(authorization), id: "", query, userAgent };
	return authorize({ ...access, path: "" }, signal);
}
