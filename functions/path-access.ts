/** Who may publish or read a path, by what clients of media show: tokens and stream keys, wherever they can put them. */

import { type Action, allows } from "#shared/access/permission.ts";
import { queryToken } from "#shared/access/query-token.ts";
import { isStreamKey, verifyStreamKey } from "#shared/access/stream-key.ts";
import { type Claims, MAX_TOKEN_LENGTH } from "#shared/access/token.ts";
import { DeniedError } from "#shared/problem.ts";
import type { Deps } from "./deps.ts";

/** RFC 7515 §7.1: three parts in base64url. */
const TOKEN_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const MAX_HEADER_CHARS = 2 * MAX_TOKEN_LENGTH;

/**
 * Checks what a client showed, in this order: the first text that has the form of a token or stream key decides. As a
 * media node does it.
 * @throws DeniedError
 */
export async function checkShown(
	{ clock, settings, tokens, verifier }: Pick<Deps, "clock" | "settings" | "tokens" | "verifier">,
	action: Action,
	path: string,
	shown: readonly string[],
): Promise<Claims> {
	const what = path === "" ? `use the ${action}` : `${action} ${path}`;
	const given = shown.filter((text) => text !== "");
	if (given.length === 0) throw new DeniedError("access.token_missing", `To ${what} takes a token or a stream key`);
	for (const text of given) {
		if (isStreamKey(text) && (action === "publish" || action === "read")) {
			const expiresMs = await verifyStreamKey(settings.streamKeySecrets, text, { action, path }, clock);
			return {
				subject: "stream key",
				permissions: [{ action, path }],
				expiresMs: expiresMs ?? Number.MAX_SAFE_INTEGER,
				tokenId: "",
			};
		}
		if (!TOKEN_SHAPE.test(text)) continue;
		const claims = await verifier.verify(text);
		if (!allows(claims.permissions, action, path))
			throw new DeniedError("access.forbidden", `The token does not allow to ${what}. Ask for one that does`);
		// The verifier knows of no path; what was revoked for one is what is for watching it.
		if (action === "read" || action === "playback") await tokens.assertNotRevoked(claims, path);
		return claims;
	}
	throw new DeniedError("access.token_invalid", "What was shown is neither a token nor a stream key of ours");
}

/** What a request over HTTP shows of its client, RFC 6750 and RFC 7617: the query first, as a media node has it. */
export function shownBy(request: Request): string[] {
	return [queryToken(new URL(request.url).search), ...shownInHeader(request.headers.get("authorization") ?? "")];
}

/** A Bearer token, or the password: of Basic, or of a Bearer of the form `user:password`. */
function shownInHeader(header: string): string[] {
	if (header.length > MAX_HEADER_CHARS) return [];
	const [, scheme, value = ""] = /^(Basic|Bearer) +(\S+)$/i.exec(header) ?? [];
	if (scheme === undefined) return [];
	const text = scheme.toLowerCase() === "bearer" ? value : decoded(value);
	return [text.slice(text.indexOf(":") + 1)];
}

function decoded(base64: string): string {
	try {
		return atob(base64);
	} catch {
		// atob has no other way to say no; nothing was shown then.
		return "";
	}
}
