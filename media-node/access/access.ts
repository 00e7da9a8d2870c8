import type { PathName } from "#shared/path-name.ts";

/** What a client of a door asks for, with all that it showed of itself. */
export type AccessRequest = {
	readonly action: "publish" | "read";
	readonly path: PathName;
	/** Such as `rtsp`. */
	readonly protocol: string;
	/** The peer's address, without port. */
	readonly ip: string;
	readonly user: string;
	/** A password, or a token or stream key in its place. */
	readonly password: string;
	/** A token or stream key given as `?token=`, `?jwt=` or `Authorization: Bearer`; empty when there is none. */
	readonly token: string;
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
	 */
	authorize(request: AccessRequest, signal?: AbortSignal): Promise<Grant>;
}
