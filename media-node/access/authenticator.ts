import { allows } from "#shared/access/permission.ts";
import { throwIfAborted } from "#shared/clock.ts";
import { ANY_USER, type User } from "#shared/config/user.ts";
import { DeniedError } from "#shared/problem.ts";
import { Networks } from "../networks.ts";
import { Turnstile } from "../stream/turnstile.ts";
import { type AccessRequest, type Authenticator, showsNothing } from "./access.ts";
import { type BearerOptions, createBearerCheck, isCutToken, useOf } from "./bearer.ts";
import { Failures } from "./failures.ts";
import { guarded } from "./guard.ts";
import { isSlowCredential, matchesCredential } from "./password.ts";

/** Slow hashes take threads that files and names need as well: so many at once, and so many clients in line. */
const SLOW_CHECKS_AT_ONCE = 2;
const MAX_WAITING_CHECKS = 64;

/** FFmpeg, for one, takes 127 bytes of a user and password. */
const CUT_TOKEN = "The token was cut off: put it into ?token=, or use a stream key as the password";

type Rule = User & {
	/** `null`: from anywhere. */ readonly networks: Networks | null;
};

export type AuthenticatorOptions = BearerOptions & {
	readonly users: readonly User[];
	/** Failed attempts so far, to count on; none by default. */
	readonly failures?: Failures;
};

/**
 * Decides by the users of the configuration, as MediaMTX does: the first one whose networks, permissions and credentials
 * all match lets the client in. After them come tokens and stream keys, in their own field or as the password.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
	const { clock, failures = new Failures({ clock }) } = options;
	const bearerOf = createBearerCheck(options);
	const rules = options.users.map(
		(user): Rule => ({ ...user, networks: user.ips.length === 0 ? null : new Networks(user.ips) }),
	);
	const slow = new Turnstile({ atOnce: SLOW_CHECKS_AT_ONCE, maxWaiting: MAX_WAITING_CHECKS, full: tooManyChecks });

	async function matches(configured: string, shown: string): Promise<boolean> {
		const check = () => matchesCredential(configured, shown);
		return isSlowCredential(configured) ? slow.pass(check) : check();
	}

	async function userOf({ ip, action, path, user, password, proof }: AccessRequest): Promise<string | null> {
		for (const rule of rules) {
			if (rule.networks?.has(ip) === false || !allows(rule.permissions, action, path)) continue;
			if (rule.user === ANY_USER) return ANY_USER;
			if (proof !== undefined) {
				// A hash is no password: who knows only the hash has proved nothing.
				if (!isHashed(rule.user) && !isHashed(rule.pass) && proof(rule.user, rule.pass)) return user;
				continue;
			}
			if (user === "" && password === "") continue;
			if ((await matches(rule.user, user)) && (await matches(rule.pass, password))) return user;
		}
		return null;
	}

	return guarded(
		{
			async authorize(request, signal) {
				const { action, path, password, token } = request;
				const name = await userOf(request);
				throwIfAborted(signal);
				if (name !== null) return { subject: name, expiresMs: null };
				const use = useOf(action, path);
				if (showsNothing(request)) {
					throw new DeniedError("access.token_missing", `To ${use} takes a token, or a user and password`);
				}
				const grant = (await bearerOf(request, token)) ?? (await bearerOf(request, password));
				if (grant !== null) return grant;
				if (token !== "") throw new DeniedError("access.token_invalid", "What was shown is not a token of ours");
				if (isCutToken(password)) throw new DeniedError("access.token_invalid", CUT_TOKEN);
				throw new DeniedError("access.credentials", `User and password are wrong, or do not allow to ${use}`);
			},
		},
		{ failures, clock },
	);
}

function isHashed(configured: string): boolean {
	return /^(?:sha256|argon2):/.test(configured);
}

function tooManyChecks(): DeniedError {
	return new DeniedError("access.credentials", "Too many clients log in at the same time; try again later");
}
