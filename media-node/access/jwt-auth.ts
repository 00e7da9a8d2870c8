import { createForeignTokenCheck } from "#shared/access/foreign-token.ts";
import { allows, type Permission } from "#shared/access/permission.ts";
import { remoteKeys } from "#shared/access/remote-keys.ts";
import type { KeySource } from "#shared/access/token.ts";
import { type Clock, throwIfAborted } from "#shared/clock.ts";
import { ANY_USER } from "#shared/config/user.ts";
import { DeniedError } from "#shared/problem.ts";
import { type AccessRequest, type Authenticator, type Grant, showsNothing } from "./access.ts";
import { hasTokenShape, useOf } from "./bearer.ts";
import { createPinnedAgent, fetchPinned, type PinnedRequest } from "./fingerprint.ts";

const MAX_KEY_SET_BYTES = 256 * 1024;
/** The subject of who has a token without a name in it. */
const UNNAMED = "jwt";

export type JwtAuthOptions = {
	/** `authJWTJWKS`: where the key set is. */
	readonly jwks: string;
	/** `authJWTJWKSFingerprint`; empty: the certificate must be one that this machine trusts. */
	readonly fingerprint: string;
	/** `authJWTClaimKey`. */
	readonly claimKey: string;
	/** `authJWTExclude`: what everybody may do without a token. */
	readonly exclude: readonly Permission[];
	/** `authJWTIssuer`; empty: any. */
	readonly issuer: string;
	/** `authJWTAudience`; empty: any. */
	readonly audience: string;
	readonly clock: Clock;
};

export interface JwtAuth extends Authenticator, Disposable {
	/** Reads the key set now. The one before stays in use when that fails. @throws StoreError `store.unavailable` */
	refresh(): Promise<void>;
}

/**
 * Lets clients in by the tokens of an identity server, as MediaMTX does. Its keys are read when the first token comes,
 * and again after an hour or for a token of an unknown key.
 * @throws InputError `config.invalid`
 */
export function createJwtAuth(options: JwtAuthOptions): JwtAuth {
	const { jwks: url, exclude, claimKey, issuer, audience, clock } = options;
	const agent = createPinnedAgent({ url, fingerprint: options.fingerprint });
	const fetch = pinnedFetch(url, { agent, fingerprint: options.fingerprint, maxBytes: MAX_KEY_SET_BYTES });
	let keys = remoteKeys({ url, clock, fetch });
	const latest: KeySource = (refresh) => (typeof keys === "function" ? keys(refresh) : Promise.resolve(keys));
	const check = createForeignTokenCheck({ keys: latest, claimKey, issuer, audience, clock });

	async function grantOf({ action, path }: AccessRequest, token: string): Promise<Grant> {
		const { subject, permissions, expiresMs } = await check(token);
		if (allows(permissions, action, path)) return { subject: subject || UNNAMED, expiresMs };
		throw new DeniedError(
			"access.forbidden",
			`The token does not allow to ${useOf(action, path)}. Ask for one that does`,
		);
	}

	return {
		async authorize(request, signal) {
			const { action, path, token, password } = request;
			if (allows(exclude, action, path)) return { subject: ANY_USER, expiresMs: null };
			if (showsNothing(request)) {
				throw new DeniedError("access.token_missing", `To ${useOf(action, path)} takes a token`);
			}
			const shown = token === "" ? password : token;
			if (!hasTokenShape(shown)) {
				throw new DeniedError("access.token_invalid", "What was shown is not a token. Give one as the password");
			}
			const grant = await grantOf(request, shown);
			throwIfAborted(signal);
			return grant;
		},
		async refresh() {
			const fresh = remoteKeys({ url, clock, fetch });
			if (typeof fresh === "function") await fresh(false);
			keys = fresh;
		},
		[Symbol.dispose]: () => agent.destroy(),
	};
}

/** What {@link remoteKeys} fetches with: it sees to the certificate and to the length of the answer. */
function pinnedFetch(url: string, request: PinnedRequest): typeof globalThis.fetch {
	return async (_, init) => {
		const { status, body, isCut } = await fetchPinned(url, { ...request, signal: init?.signal ?? undefined });
		if (status !== 200) throw new Error(`it answered ${status}`);
		if (isCut) throw new Error(`its answer has more than ${request.maxBytes} bytes`);
		return new Response(new TextDecoder().decode(body));
	};
}
