import { randomInt } from "node:crypto";
import { BlockList, isIP } from "node:net";
import { allows } from "#shared/access/permission.ts";
import { isStreamKey, verifyStreamKey } from "#shared/access/stream-key.ts";
import type { TokenVerifier } from "#shared/access/token.ts";
import { type Clock, throwIfAborted } from "#shared/clock.ts";
import { DeniedError } from "#shared/problem.ts";
import { Turnstile } from "../stream/turnstile.ts";
import type { AccessRequest, Authenticator, Grant } from "./access.ts";
import { isSlowCredential, matchesCredential } from "./password.ts";
import { ANY_USER, parseNetwork, type User } from "./user.ts";

/** Slow hashes take threads that files and names need as well: so many at once, and so many clients in line. */
const SLOW_CHECKS_AT_ONCE = 2;
const MAX_WAITING_CHECKS = 64;
/** A wrong password is answered after a time between these: guessing takes long, and the time tells nothing. */
const MIN_PAUSE_MS = 500;
const MAX_PAUSE_MS = 2000;

/** RFC 7515 §7.1: three parts in base64url. */
const TOKEN_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

type Rule = User & { readonly networks: BlockList | null };

export type AuthenticatorOptions = {
	readonly users: readonly User[];
	/** Checks tokens; `null` when this node knows no key of any. */
	readonly verifier: TokenVerifier | null;
	/** Secrets of stream keys, base64url. */
	readonly streamKeySecrets: readonly string[];
	readonly clock: Clock;
};

/**
 * Decides by the users of the configuration, as MediaMTX does: the first one whose networks, permissions and credentials
 * all match lets the client in. After them come tokens and stream keys, in their own field or as the password.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
	const { verifier, streamKeySecrets, clock } = options;
	const rules = options.users.map((user): Rule => ({ ...user, networks: networksOf(user) }));
	const slow = new Turnstile({ atOnce: SLOW_CHECKS_AT_ONCE, maxWaiting: MAX_WAITING_CHECKS, full: tooManyChecks });

	async function matches(configured: string, shown: string): Promise<boolean> {
		const check = () => matchesCredential(configured, shown);
		return isSlowCredential(configured) ? slow.pass(check) : check();
	}

	async function userOf({ ip, action, path, user, password }: AccessRequest): Promise<string | null> {
		for (const rule of rules) {
			if (!comesFrom(rule.networks, ip) || !allows(rule.permissions, action, path)) continue;
			if (rule.user === ANY_USER) return ANY_USER;
			if (user === "" && password === "") continue;
			if ((await matches(rule.user, user)) && (await matches(rule.pass, password))) return user;
		}
		return null;
	}

	/** `null`: what was shown is neither a token nor a stream key. */
	async function bearerOf({ action, path }: AccessRequest, shown: string): Promise<Grant | null> {
		if (isStreamKey(shown)) {
			const expiresMs = await verifyStreamKey(streamKeySecrets, shown, { action, path }, clock);
			return { subject: "stream key", expiresMs };
		}
		if (!TOKEN_SHAPE.test(shown)) return null;
		if (verifier === null) throw new DeniedError("access.token_invalid", "This node accepts no tokens");
		const { permissions, subject, expiresMs } = await verifier.verify(shown);
		if (allows(permissions, action, path)) return { subject, expiresMs };
		throw new DeniedError("access.forbidden", `The token does not allow to ${action} ${path}. Ask for one that does`);
	}

	return {
		async authorize(request, signal) {
			const { action, path, user, password, token } = request;
			const name = await userOf(request);
			throwIfAborted(signal);
			if (name !== null) return { subject: name, expiresMs: null };
			if (user === "" && password === "" && token === "") {
				throw new DeniedError("access.token_missing", `To ${action} ${path} takes a token, or a user and password`);
			}
			const grant = (await bearerOf(request, token)) ?? (await bearerOf(request, password));
			if (grant !== null) return grant;
			if (token !== "") throw new DeniedError("access.token_invalid", "What was shown is not a token of ours");
			await clock.sleep(randomInt(MIN_PAUSE_MS, MAX_PAUSE_MS), signal);
			throw new DeniedError("access.credentials", `User and password are wrong, or do not allow to ${action} ${path}`);
		},
	};
}

function networksOf({ ips }: User): BlockList | null {
	if (ips.length === 0) return null;
	const list = new BlockList();
	for (const text of ips) {
		const network = parseNetwork(text);
		if (network !== null) list.addSubnet(network.address, network.prefix, network.family);
	}
	return list;
}

/** Sees an IPv4 address behind its IPv6 form as the one that it is. */
function comesFrom(networks: BlockList | null, ip: string): boolean {
	if (networks === null) return true;
	const version = isIP(ip);
	return version !== 0 && networks.check(ip, version === 4 ? "ipv4" : "ipv6");
}

function tooManyChecks(): DeniedError {
	return new DeniedError("access.credentials", "Too many clients log in at the same time; try again later");
}
