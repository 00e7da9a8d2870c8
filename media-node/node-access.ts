/** Who may do what on this node, by its settings. Part of the wiring. */

import { remoteKeys } from "#shared/access/remote-keys.ts";
import { createTokenVerifier, type KeySource, type TokenVerifier } from "#shared/access/token.ts";
import type { Clock } from "#shared/clock.ts";
import { durationMs } from "#shared/config/duration.ts";
import type { Settings } from "#shared/config/settings.ts";
import { type AuthMethod, createAuthenticatorOf, type MethodAuthenticator } from "./access/authenticator-of.ts";
import type { Failures } from "./access/failures.ts";
import type { NodeSecrets } from "./config/secrets.ts";
import type { AccessWatch } from "./control/access-watch.ts";
import type { Logger } from "./log.ts";

export type NodeAccessOptions = {
	readonly settings: Settings;
	readonly secrets: NodeSecrets;
	readonly clock: Clock;
	readonly log: Logger;
	readonly failures: Failures;
	/** What the bucket says of keys and revocations. */
	readonly accessWatch: AccessWatch;
};

/** Keys of functions that run elsewhere: a removed one is trusted for this long at most, unless they are away. */
const REMOTE_KEYS_MS = 5_000;

/** The settings that say who may do what: with other ones, sessions ask again. */
export function accessSettings(settings: Settings): unknown {
	const { authMethod, authInternalUsers, readTimeout } = settings;
	const { authHTTPAddress, authHTTPFingerprint, authHTTPExclude } = settings;
	const { authJWTJWKS, authJWTJWKSFingerprint, authJWTClaimKey, authJWTExclude, authJWTIssuer, authJWTAudience } =
		settings;
	return {
		authMethod,
		authInternalUsers,
		http: authMethod === "http" ? [authHTTPAddress, authHTTPFingerprint, authHTTPExclude, readTimeout] : null,
		jwt: [authJWTJWKS, authJWTJWKSFingerprint, authJWTClaimKey, authJWTExclude, authJWTIssuer, authJWTAudience],
	};
}

/**
 * Makes the authenticator of the settings. With `authMethod: jwt`, `authJWTJWKS` is the identity provider's; otherwise it
 * is that of functions that run elsewhere, and issue our own tokens.
 * @throws InputError `config.invalid`
 */
export function nodeAuthenticator(options: NodeAccessOptions): MethodAuthenticator {
	const { settings, secrets, clock, log, failures, accessWatch } = options;
	const url = settings.authMethod === "jwt" ? "" : settings.authJWTJWKS;
	const keys = url === "" ? ownKeys(secrets, accessWatch) : keysAt(url, clock, accessWatch);
	return createAuthenticatorOf({
		auth: methodOf(settings, log),
		verifier: unrevoked(createTokenVerifier({ keys, clock }), accessWatch),
		streamKeySecrets: secrets.streamKeySecrets,
		clock,
		failures,
	});
}

function ownKeys({ signingKeys }: NodeSecrets, accessWatch: AccessWatch): KeySource {
	return () => Promise.resolve(accessWatch.publicKeys(signingKeys));
}

function keysAt(url: string, clock: Clock, accessWatch: AccessWatch): KeySource {
	const source = remoteKeys({ url, clock, fetch, maxAgeMs: REMOTE_KEYS_MS });
	return async (refresh) => accessWatch.trusted(await source(refresh));
}

function unrevoked(verifier: TokenVerifier, accessWatch: AccessWatch): TokenVerifier {
	return {
		async verify(token) {
			const claims = await verifier.verify(token);
			accessWatch.assertNotRevoked(claims);
			return claims;
		},
	};
}

function methodOf(settings: Settings, log: Logger): AuthMethod {
	switch (settings.authMethod) {
		case "internal":
			return { method: "internal", users: settings.authInternalUsers };
		case "http":
			return {
				method: "http",
				address: settings.authHTTPAddress,
				fingerprint: settings.authHTTPFingerprint,
				exclude: settings.authHTTPExclude,
				timeoutMs: durationMs(settings.readTimeout),
				log,
			};
		case "jwt":
			return {
				method: "jwt",
				jwks: settings.authJWTJWKS,
				fingerprint: settings.authJWTJWKSFingerprint,
				claimKey: settings.authJWTClaimKey,
				exclude: settings.authJWTExclude,
				issuer: settings.authJWTIssuer,
				audience: settings.authJWTAudience,
			};
	}
}
