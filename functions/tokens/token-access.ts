import { revokedError } from "#shared/access/access-document.ts";
import { AccessState } from "#shared/access/access-state.ts";
import { type EdgeKey, edgeKeysOf, isEdgeToken, verifyEdgeToken } from "#shared/access/edge-token.ts";
import { allows } from "#shared/access/permission.ts";
import type { SigningKey } from "#shared/access/signing-key.ts";
import { type Claims, createTokenVerifier, type TokenVerifier } from "#shared/access/token.ts";
import { assertLimits, refused, type Viewer } from "#shared/access/token-limits.ts";
import { ViewerCount } from "#shared/access/viewer-count.ts";
import type { Clock } from "#shared/clock.ts";
import type { PathName } from "#shared/path-name.ts";
import { DeniedError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { KeyRing } from "./key-ring.ts";

/** Everything that decides about tokens in one instance: keys, revocations, limits. */
export class TokenAccess {
	readonly state: AccessState;
	readonly ring: KeyRing;
	/**
	 * Checks signature, expiry, and revocation by token and by subject. For what does not know the viewer: it refuses tokens
	 * with limits, which {@link TokenAccess.admitReader} checks.
	 */
	readonly verifier: TokenVerifier;
	readonly #signed: TokenVerifier;
	readonly #clock: Clock;
	readonly #streamKeySecrets: readonly string[];
	readonly #viewers: ViewerCount;
	#edgeKeys: readonly EdgeKey[] | null = null;

	constructor(options: {
		readonly store: ObjectStore;
		readonly clock: Clock;
		readonly settings: { readonly signingKeys: readonly SigningKey[]; readonly streamKeySecrets: readonly string[] };
		/** As {@link AccessState} has it. */
		readonly sharesReads: boolean;
	}) {
		const { store, clock, settings, sharesReads } = options;
		this.state = new AccessState({ store, clock, sharesReads });
		this.ring = new KeyRing({ roots: settings.signingKeys, state: this.state, clock });
		this.#signed = createTokenVerifier({ keys: (refresh) => this.ring.publicSet(refresh), clock, checksLimits: true });
		this.verifier = { verify: async (token) => assertUnlimited(await this.inspect(token)) };
		this.#clock = clock;
		this.#streamKeySecrets = settings.streamKeySecrets;
		this.#viewers = new ViewerCount(clock);
	}

	/** What the bearer of `token` may do, if they may read `path`. @throws DeniedError, StoreError */
	async admitReader(token: string, path: PathName, viewer: Viewer): Promise<Claims> {
		const claims = await this.claims(token);
		if (!allows(claims.permissions, "read", path))
			throw new DeniedError("access.forbidden", `The token does not allow to read ${path}`);
		await this.#assertUse(claims, path, viewer);
		return claims;
	}

	/** What a token says, whoever shows it, unless it or its subject was revoked. @throws DeniedError, StoreError */
	async inspect(token: string): Promise<Claims> {
		const claims = await this.claims(token);
		await this.assertNotRevoked(claims, null);
		return claims;
	}

	/** What a token says, also when it was revoked. @throws DeniedError, StoreError */
	claims(token: string): Promise<Claims> {
		return isEdgeToken(token) ? this.#verifyEdge(token) : this.#signed.verify(token);
	}

	/** @throws DeniedError `access.token_revoked`, also for `path` unless that is `null`; StoreError */
	async assertNotRevoked({ tokenId, subject, issuedMs = 0 }: Claims, path: string | null): Promise<void> {
		const { revocations } = await this.state.get();
		const entry = revocations.find({ tokenId, subject, issuedMs }, path);
		if (entry !== null) throw revokedError(entry);
	}

	/** The keys of edge tokens. */
	async edgeKeys(): Promise<readonly EdgeKey[]> {
		this.#edgeKeys ??= await edgeKeysOf(this.#streamKeySecrets);
		return this.#edgeKeys;
	}

	async #assertUse(claims: Claims, path: PathName, viewer: Viewer): Promise<void> {
		const { limits = {}, tokenId } = claims;
		await this.assertNotRevoked(claims, path);
		assertLimits(limits, viewer);
		if (limits.concurrency === undefined) return;
		const { ip } = viewer;
		if (ip === null || !this.#viewers.admit(tokenId, ip, limits.concurrency))
			throw refused("concurrency", `is used at ${limits.concurrency} addresses already`);
	}

	async #verifyEdge(token: string): Promise<Claims> {
		const { paths, ...claims } = await verifyEdgeToken(await this.edgeKeys(), token, this.#clock);
		return { ...claims, permissions: paths.map((path) => ({ action: "read", path })) };
	}
}

function assertUnlimited(claims: Claims): Claims {
	if (Object.keys(claims.limits ?? {}).length === 0) return claims;
	throw new DeniedError("access.token_limit", "The token has limits; it is for watching by HLS alone");
}
