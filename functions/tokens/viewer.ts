/** Who asks, told by each platform in its own way. What a viewer could write into a request is never taken for it. */

import * as z from "zod";
import { unmapped } from "#shared/access/ip-range.ts";
import type { Viewer } from "#shared/access/token-limits.ts";

/** `environment`: what the entry hands to the application beside the request. */
export type ViewerOf = (request: Request, environment: unknown) => Viewer;

/** Cloudflare sets both headers, and drops those that a viewer sends. Read when they are asked for: few tokens have limits. */
export const viewerOfCloudflare: ViewerOf = ({ headers }) => ({
	get ip() {
		return headers.get("cf-connecting-ip");
	},
	/** XX: not known. T1: Tor. */
	get country() {
		return countryOf(headers.get("cf-ipcountry"));
	},
	get referrer() {
		return headers.get("referer");
	},
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

/** What the HTTP server for Node.js hands over, as far as it is used. Asked for by each request, so without a schema. */
type NodeBindings = { readonly incoming?: { readonly socket?: { readonly remoteAddress?: unknown } } } | undefined;

/** The address of the socket: behind a proxy, the proxy's. */
export const viewerOfNode: ViewerOf = (request, environment) => {
	const address = (environment as NodeBindings)?.incoming?.socket?.remoteAddress;
	return {
		ip: typeof address === "string" ? unmapped(address) : null,
		country: null,
		referrer: request.headers.get("referer"),
	};
};

function countryOf(header: string | null): string | null {
	return header !== null && /^[A-Z]{2}$/.test(header) && header !== "XX" ? header : null;
}
