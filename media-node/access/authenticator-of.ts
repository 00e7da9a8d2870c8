import { allows, type Permission } from "#shared/access/permission.ts";
import type { User } from "#shared/config/user.ts";
import { hasCode } from "#shared/problem.ts";
import type { AccessRequest, Authenticator, Grant } from "./access.ts";
import { createAuthenticator } from "./authenticator.ts";
import { type BearerCheck, type BearerOptions, createBearerCheck } from "./bearer.ts";
import { Failures } from "./failures.ts";
import { guarded } from "./guard.ts";
import { createHttpAuth, type HttpAuthOptions } from "./http-auth.ts";
import { createJwtAuth, type JwtAuthOptions } from "./jwt-auth.ts";

/** `authMethod` with the settings of that method. */
export type AuthMethod =
	| { readonly method: "internal"; readonly users: readonly User[] }
	| ({ readonly method: "http" } & Omit<HttpAuthOptions, "clock">)
	| ({ readonly method: "jwt" } & Omit<JwtAuthOptions, "clock">);

export type AuthenticatorOfOptions = BearerOptions & {
	readonly auth: AuthMethod;
	/** Failed attempts so far, to keep when the settings change; none by default. */
	readonly failures?: Failures;
};

export interface MethodAuthenticator extends Authenticator, Disposable {
	/** Reads the keys of foreign tokens now, where the method has any. @throws StoreError `store.unavailable` */
	refresh(): Promise<void>;
}

/**
 * Makes the authenticator of a method. Tokens and stream keys of our own are good with every method.
 * @throws InputError `config.invalid` if an address is wrong
 */
export function createAuthenticatorOf(options: AuthenticatorOfOptions): MethodAuthenticator {
	const { auth, clock, verifier, streamKeySecrets, failures = new Failures({ clock }) } = options;
	const bearers = { verifier, streamKeySecrets, clock };
	const bearerOf = createBearerCheck(bearers);
	switch (auth.method) {
		case "internal": {
			const { authorize } = createAuthenticator({ ...bearers, users: auth.users, failures });
			return { authorize, refresh: async () => undefined, [Symbol.dispose]: () => undefined };
		}
		case "http": {
			const http = createHttpAuth({ ...auth, clock });
			const { authorize } = guarded(ownFirst(bearerOf, http, auth.exclude), { failures, clock });
			return { authorize, refresh: async () => undefined, [Symbol.dispose]: () => http[Symbol.dispose]() };
		}
		case "jwt": {
			const jwt = createJwtAuth({ ...auth, clock });
			const { authorize } = guarded(ownFirst(bearerOf, jwt, auth.exclude), { failures, clock });
			return { authorize, refresh: () => jwt.refresh(), [Symbol.dispose]: () => jwt[Symbol.dispose]() };
		}
	}
}

/** What is not of ours may still be good with the method, which does not see what is. What is free needs neither. */
function ownFirst(bearerOf: BearerCheck, method: Authenticator, free: readonly Permission[]): Authenticator {
	async function ownOf(request: AccessRequest, shown: string): Promise<Grant | null> {
		try {
			return await bearerOf(request, shown);
		} catch (error) {
			// Others' tokens look like ours. Whether our keys can be read does not matter for them.
			if (hasCode(error, "access.token_invalid", "store.unavailable")) return null;
			throw error;
		}
	}
	return {
		async authorize(request, signal) {
			if (allows(free, request.action, request.path)) return method.authorize(request, signal);
			const grant = (await ownOf(request, request.token)) ?? (await ownOf(request, request.password));
			return grant ?? method.authorize(request, signal);
		},
	};
}
