/** Who asks, told by each platform in its own way. What a viewer could write into a request is never taken for it. */

import * as z from "zod";
import type { Viewer } from "#shared/access/token-limits.ts";

/** `environment`: what the entry hands to the application beside the request. */
export type ViewerOf = (request: Request, environment: unknown) => Viewer;

/** Cloudflare sets both headers, and drops those that a viewer sends. */
export const viewerOfCloudflare: ViewerOf = (request) => ({
	ip: request.headers.get("cf-connecting-ip"),
	// XX: not known. T1: Tor.
	country: countryOf(request.headers.get("cf-ipcountry")),
	referrer: request.headers.get("referer"),
});

const lambdaEvent = z.object({
	event: z.object({ requestContext: z.object({ http: z.object({ sourceIp: z.string() }) }) }),
});

/**
 * `isBehindCloudFront`: nobody but CloudFront can call the function (its URL asks for AWS_IAM, the distribution has an origin
 * access control), so its headers tell the viewer. Otherwise whoever calls is known by address, and the country is not.
 */
export function viewerOfLambda(isBehindCloudFront: boolean): ViewerOf {
	return (request, environment) => {
		const referrer = request.headers.get("referer");
		if (isBehindCloudFront) {
			// Address and port, `198.51.100.10:46532`.
			const address = request.headers.get("cloudfront-viewer-address");
			return {
				ip: address?.replace(/:\d+$/, "").replace(/^\[|\]$/g, "") ?? null,
				country: countryOf(request.headers.get("cloudfront-viewer-country")),
				referrer,
			};
		}
		const event = lambdaEvent.safeParse(environment);
		return { ip: event.success ? event.data.event.requestContext.http.sourceIp : null, country: null, referrer };
	};
}

const nodeBindings = z.object({ incoming: z.object({ socket: z.object({ remoteAddress: z.string() }) }) });

/** The address of the socket: behind a proxy, the proxy's. */
export const viewerOfNode: ViewerOf = (request, environment) => {
	const bindings = nodeBindings.safeParse(environment);
	return {
		ip: bindings.success ? bindings.data.incoming.socket.remoteAddress : null,
		country: null,
		referrer: request.headers.get("referer"),
	};
};

function countryOf(header: string | null): string | null {
	return header !== null && /^[A-Z]{2}$/.test(header) && header !== "XX" ? header : null;
}
