/** What a request shows of its client: RFC 7617 Basic, RFC 6750 Bearer. Pure. */

export type HttpCredentials = { readonly user: string; readonly password: string; readonly token: string };

const NOTHING: HttpCredentials = { user: "", password: "", token: "" };
const MAX_LENGTH = 16 * 1024;

/**
 * Reads the header `Authorization`. A Bearer of the form `user:password` is those, for clients that can show nothing
 * else. What is not understood is as if nothing was shown. Never throws.
 */
export function httpCredentials(authorization: string): HttpCredentials {
	if (authorization.length > MAX_LENGTH) return NOTHING;
	const [, scheme, value = ""] = /^(Basic|Bearer) +(\S+)$/i.exec(authorization) ?? [];
	if (scheme === undefined) return NOTHING;
	if (scheme.toLowerCase() === "bearer") {
		const [user = "", password, more] = value.split(":");
		return password === undefined || more !== undefined ? { ...NOTHING, token: value } : { user, password, token: "" };
	}
	const text = Buffer.from(value, "base64").toString("utf8");
	const colon = text.indexOf(":");
	return colon === -1 ? NOTHING : { user: text.slice(0, colon), password: text.slice(colon + 1), token: "" };
}
