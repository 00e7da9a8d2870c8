import { ProtocolError } from "#shared/problem.ts";
import type { AccessRequest } from "../access/access.ts";
import type { Headers } from "./message.ts";
import type { RtspUrl } from "./rtsp-url.ts";

export type Credentials = Pick<AccessRequest, "user" | "password" | "token">;

const MAX_LENGTH = 8 * 1024;

/**
 * What a request shows of its sender: Basic or Bearer authorization, a token in the query, or a user in the URL.
 * @throws ProtocolError `rtsp.malformed`
 */
export function credentialsOf(headers: Headers, url: RtspUrl): Credentials {
	const token = url.query.get("token") ?? url.query.get("jwt") ?? "";
	const header = headers.get("authorization") ?? "";
	if (header.length > MAX_LENGTH) throw new ProtocolError("rtsp.malformed", "The Authorization header is too long");
	const [scheme = "", value = ""] = header.split(/ +/, 2);
	switch (scheme.toLowerCase()) {
		case "":
			return { user: url.user, password: url.password, token };
		case "bearer":
			return { user: "", password: "", token: value };
		case "basic": {
			const text = Buffer.from(value, "base64").toString("utf8");
			const colon = text.indexOf(":");
			if (colon === -1) throw new ProtocolError("rtsp.malformed", "The Basic authorization has no colon");
			return { user: text.slice(0, colon), password: text.slice(colon + 1), token };
		}
		default:
			throw new ProtocolError("rtsp.malformed", "The Authorization scheme is not supported: use Basic or Bearer");
	}
}
