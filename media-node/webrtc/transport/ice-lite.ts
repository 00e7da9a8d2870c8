import { createSecretKey, type KeyObject, randomInt } from "node:crypto";
import type { Route } from "./route.ts";
import { hasIntegrity, type StunMessage } from "./stun.ts";
import { writeBindingError, writeBindingSuccess } from "./stun-writer.ts";

/** RFC 8839 §5.4 asks for 4 and 22 characters at least, 24 and 128 bits of chance. */
const UFRAG_CHARACTERS = 12;
const PWD_CHARACTERS = 28;
const ICE_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** How many addresses of a peer are known at once. */
export const MAX_ROUTES = 8;
/** Without a check for so long, a peer is in trouble. */
export const DISCONNECTED_MS = 5_000;
/** Without a check for so long, a peer does not want packets any more. RFC 7675 §5.1. */
export const CONSENT_MS = 30_000;

export type IceCredentials = { readonly ufrag: string; readonly pwd: string };
export type IceState = "new" | "connected" | "disconnected" | "dead";

/** What to answer to a check, and whether it was one of the peer. */
export type IceAnswer = { readonly authenticated: boolean; readonly response: Uint8Array | null };

type Generation = IceCredentials & { readonly key: KeyObject; remoteUfrag: string | null };
type KnownRoute = { readonly route: Route; checkedAt: number };

/**
 * The ICE agent of one session that never checks by itself and answers who checks with the right password.
 *
 * @see RFC 8445 §2.5, §7.3, RFC 7675
 */
export class IceLite {
	#current = newGeneration();
	/** Those before a restart, until the peer uses the new ones. */
	#previous: Generation | null = null;
	readonly #routes = new Map<string, KnownRoute>();
	#selected: Route | null = null;
	#nominated = false;
	#checkedAt = 0;

	get local(): IceCredentials {
		return this.#current;
	}

	/** The user names by which the peer may call, the newest first. */
	get ufrags(): readonly string[] {
		return this.#previous === null ? [this.#current.ufrag] : [this.#current.ufrag, this.#previous.ufrag];
	}

	/** Where packets are sent to. */
	get selected(): Route | null {
		return this.#selected;
	}

	/** Whether the peer chose {@link selected}, rather than that it was heard there first. */
	get nominated(): boolean {
		return this.#nominated;
	}

	/** Names what the peer calls itself: from now on its checks must say so. */
	setRemote(ufrag: string): void {
		this.#current.remoteUfrag = ufrag;
	}

	/** Makes new credentials. The old ones stay good until the first check with the new ones. RFC 8445 §2.4. */
	restart(): void {
		// Who restarts twice before the peer noticed still has the peer on the first ones.
		this.#previous ??= this.#current;
		this.#current = newGeneration();
	}

	/** Whether packets from this route are of the peer. */
	knows(name: string): boolean {
		return this.#routes.has(name);
	}

	/** The routes that the peer checked, the oldest first. */
	get routes(): readonly Route[] {
		return [...this.#routes.values()].map(({ route }) => route);
	}

	/** Whether the peer was heard on this route lately, so that nobody else may have it. */
	holds(name: string, nowMs: number): boolean {
		const known = this.#routes.get(name);
		return known !== undefined && nowMs - known.checkedAt < DISCONNECTED_MS;
	}

	/** Takes a binding request. `evicted` is told of a route that is given up for a newer one. */
	check(message: StunMessage, route: Route, nowMs: number, evicted: (route: Route) => void): IceAnswer {
		const id = message.transactionId;
		if (message.username === null || message.integrityAt === -1) return refused(writeBindingError(id, 400, null));
		const colon = message.username.indexOf(":");
		const ours = message.username.slice(0, colon);
		const theirs = message.username.slice(colon + 1);
		const generation = [this.#current, this.#previous].find((one) => one !== null && one.ufrag === ours) ?? null;
		if (colon === -1 || generation === null) return refused(writeBindingError(id, 401, null));
		if (!hasIntegrity(message, generation.key)) return refused(writeBindingError(id, 401, null));
		if (generation.remoteUfrag !== null && generation.remoteUfrag !== theirs) {
			return refused(writeBindingError(id, 401, generation.key));
		}
		if (message.unknown.length > 0) return refused(writeBindingError(id, 420, generation.key, message.unknown));
		// We are always controlled: the peer has to change its mind. RFC 8445 §7.3.1.1.
		if (message.role === "controlled") return refused(writeBindingError(id, 487, generation.key));

		if (generation === this.#current) this.#previous = null;
		this.#note(route, nowMs, evicted);
		if (message.useCandidate) {
			this.#selected = route;
			this.#nominated = true;
		} else {
			// A peer that nominates late, or never, is answered where it was heard first.
			this.#selected ??= route;
		}
		return { authenticated: true, response: writeBindingSuccess(id, route.remote, generation.key) };
	}

	/** Forgets a route that is no more: a connection that closed. */
	forget(route: Route): void {
		if (this.#routes.get(route.name)?.route !== route) return;
		this.#routes.delete(route.name);
		if (this.#selected !== route) return;
		this.#selected = [...this.#routes.values()].sort((a, b) => b.checkedAt - a.checkedAt)[0]?.route ?? null;
		this.#nominated = false;
	}

	state(nowMs: number): IceState {
		if (this.#checkedAt === 0 && this.#routes.size === 0 && this.#selected === null) return "new";
		const silentMs = nowMs - this.#checkedAt;
		if (silentMs >= CONSENT_MS) return "dead";
		return silentMs >= DISCONNECTED_MS || this.#selected === null ? "disconnected" : "connected";
	}

	#note(route: Route, nowMs: number, evicted: (route: Route) => void): void {
		this.#checkedAt = nowMs;
		const known = this.#routes.get(route.name);
		if (known?.route === route) {
			known.checkedAt = nowMs;
			return;
		}
		if (known !== undefined) {
			// Another connection from the same address: the one before is no more.
			this.#routes.set(route.name, { route, checkedAt: nowMs });
			if (this.#selected === known.route) this.#selected = route;
			return;
		}
		if (this.#routes.size >= MAX_ROUTES) {
			const others = [...this.#routes.values()].filter((other) => other.route !== this.#selected);
			const oldest = others.reduce((a, b) => (b.checkedAt < a.checkedAt ? b : a));
			this.#routes.delete(oldest.route.name);
			evicted(oldest.route);
		}
		this.#routes.set(route.name, { route, checkedAt: nowMs });
	}
}

function refused(response: Uint8Array): IceAnswer {
	return { authenticated: false, response };
}

function newGeneration(): Generation {
	const { ufrag, pwd } = newIceCredentials();
	return { ufrag, pwd, key: createSecretKey(pwd, "latin1"), remoteUfrag: null };
}

/** A user name and a password by chance. */
export function newIceCredentials(): IceCredentials {
	return { ufrag: iceCharacters(UFRAG_CHARACTERS), pwd: iceCharacters(PWD_CHARACTERS) };
}

function iceCharacters(length: number): string {
	return Array.from({ length }, () => ICE_CHARACTERS[randomInt(ICE_CHARACTERS.length)]).join("");
}
