import type { Action } from "#shared/access/permission.ts";
import type { PathName } from "#shared/path-name.ts";

/** What a client of a door asks for, with all that it showed of itself. */
export type AccessRequest = {
	readonly action: Action;
	/** Empty for actions that are not about a path, such as `api`. */
	readonly path: PathName | "";
	/** Such as `rtsp`. */
	readonly protocol: string;
	/** The peer's address, without port. Empty when this process itself is the peer: no address lets that in. */
	readonly ip: string;
	readonly user: string;
	/** A password, or a token or stream key in its place. */
	readonly password: string;
	/**
	 * Says whether a user and a password, in plain text, are those that the client proved to know without telling them, as
	 * Digest does. `password` is empty then.
	 */
	readonly proof?: (user: string, password: string) => boolean;
	/** A token or stream key given as `?token=`, `?jwt=` or `Authorization: Bearer`; empty when there is none. */
	readonly token: string;
	/** The session that asks; empty where there is none. */
	readonly id: string;
	/** The query of the address as it came, without `?`; empty when there is none. It may hold secrets. */
	readonly query: string;
	/** What the client calls itself; empty when it does not say. */
	readonly userAgent: string;
};

export type Grant = {
	/** For logs; never a secret. */
	readonly subject: string;
	/** When the session must end, milliseconds since the Unix epoch. */
	readonly expiresMs: number | null;
};

/** Decides who may publish and read. It may be slow, and delays the asking session alone. */
export interface Authenticator {
	/**
	 * @throws DeniedError `access.token_missing` when nothing was shown and something must be; `access.credentials`,
	 * `access.token_invalid`, `access.token_expired`, `access.forbidden`
	 * @throws StoreError `store.unavailable` when whoever decides, or has the keys, cannot be asked
	 */
	authorize(request: AccessRequest, signal?: AbortSignal): Promise<Grant>;
}

/** Says whether the client showed nothing at all of itself: it may have more to show once it is asked. */
export function showsNothing({ user, password, token, proof }: AccessRequest): boolean {
	return user === "" && password === "" && token === "" && proof === undefined;
}
