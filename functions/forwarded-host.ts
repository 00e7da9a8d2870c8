import type { LambdaEvent } from "hono/aws-lambda";

/** A host as it stands in an address: a name, or an IPv4 address, and perhaps a port. */
const HOST = /^[a-z0-9]([a-z0-9.-]{0,252})(:\d{1,5})?$/i;

/**
 * The event with the host that the client asked for, `x-forwarded-host`, in the place of the function's own. For functions
 * that CloudFront alone can call: from anybody else the header is a claim, and would stand in the addresses of others.
 */
export function atForwardedHost<E extends LambdaEvent>(event: E): E {
	const host = event.headers?.["x-forwarded-host"];
	if (typeof host !== "string" || !HOST.test(host) || !("domainName" in event.requestContext)) return event;
	return { ...event, requestContext: { ...event.requestContext, domainName: host } };
}
