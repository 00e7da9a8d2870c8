import { type Action, allows } from "#shared/access/permission.ts";
import { isStreamKey, type StreamKeyUse, verifyStreamKey } from "#shared/access/stream-key.ts";
import type { TokenVerifier } from "#shared/access/token.ts";
import type { Clock } from "#shared/clock.ts";
import { DeniedError } from "#shared/problem.ts";
import type { AccessRequest, Grant } from "./access.ts";

/** RFC 7515 §7.1: three parts in base64url. */
const TOKEN_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export type BearerOptions = {
	/** Checks tokens; `null` when this node knows no key of any. */
	readonly verifier: TokenVerifier | null;
	/** Secrets of stream keys, base64url. */
	readonly streamKeySecrets: readonly string[];
	readonly clock: Clock;
};

/** Checks one text that a client showed. `null`: it is neither a token nor a stream key. Rejects with DeniedError. */
export type BearerCheck = (request: AccessRequest, shown: string) => Promise<Grant | null>;

/** Checks tokens and stream keys of our own. */
export function createBearerCheck({ verifier, streamKeySecrets, clock }: BearerOptions): BearerCheck {
	return async ({ action, path }, shown) => {
		if (isStreamKey(shown) && isStreamed(action)) {
			const expiresMs = await verifyStreamKey(streamKeySecrets, shown, { action, path }, clock);
			return { subject: "stream key", expiresMs };
		}
		if (!hasTokenShape(shown)) return null;
		if (verifier === null) throw new DeniedError("access.token_invalid", "This node accepts no tokens");
		const { permissions, subject, expiresMs } = await verifier.verify(shown);
		if (allows(permissions, action, path)) return { subject, expiresMs };
		throw new DeniedError(
			"access.forbidden",
			`The token does not allow to ${useOf(action, path)}. Ask for one that does`,
		);
	};
}

/** Says whether a text looks like a JSON Web Token. Never throws. */
export function hasTokenShape(text: string): boolean {
	return TOKEN_SHAPE.test(text);
}

/** Says whether a password is the beginning of a JSON Web Token: `eyJ` is `{"` in base64url. Never throws. */
export function isCutToken(password: string): boolean {
	return /^eyJ[\w-]{16,}/.test(password) && !hasTokenShape(password);
}

/** What a request is about, for messages: `read cam01`, `use the api`. */
export function useOf(action: Action, path: string): string {
	return path === "" ? `use the ${action}` : `${action} ${path}`;
}

function isStreamed(action: Action): action is StreamKeyUse["action"] {
	return action === "publish" || action === "read";
}
