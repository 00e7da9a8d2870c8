import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { CONSENT_MS, type IceAnswer, type IceCredentials, newIceCredentials } from "./ice-lite.ts";
import type { Route } from "./route.ts";
import { hasIntegrity, type StunMessage } from "./stun.ts";
import { writeBindingError, writeBindingRequest, writeBindingSuccess } from "./stun-writer.ts";

/** Between two checks that are begun: Ta of RFC 8445 §14.2. {@link IceAgent.tick} is to be called as often. */
export const CHECK_INTERVAL_MS = 50;
/** How many addresses of a peer are tried. */
export const MAX_PAIRS = 32;
/** RFC 8445 §14.3. */
const FIRST_TIMEOUT_MS = 500;
/** How often a request is sent before its address counts as dead. RFC 8489 §6.2.1 allows 7. */
const MAX_SENDS = 6;
/** How long a better address may keep those that work waiting. */
const BETTER_WAIT_MS = 300;
/** RFC 7675 §5.1: once in five seconds, and from 0.8 to 1.2 times that. */
const CONSENT_INTERVAL_MS = 5_000;
/** Of peers that are heard without having been told of, as RFC 8445 §5.1.2.2 has it for host candidates of such peers. */
const PEER_REFLEXIVE_PRIORITY = 110 * 2 ** 24 + 0xffff * 2 ** 8 + 255;

export type IceRole = "controlling" | "controlled";

type Check = {
	readonly bytes: Uint8Array;
	readonly role: IceRole;
	readonly useCandidate: boolean;
	sends: number;
	nextMs: number;
};
type Pair = {
	readonly route: Route;
	/** Of the peer's candidate: there is one of ours only. */
	readonly priority: number;
	state: "waiting" | "checking" | "succeeded" | "failed";
	/** The peer, which decides, has chosen it. */
	isChosen: boolean;
};
type Transaction = { readonly pair: Pair; readonly check: Check };
type Remote = IceCredentials & { readonly key: KeyObject };

/**
 * A full ICE agent with one socket: it checks the addresses of its peer, decides which one is taken, and asks every few
 * seconds whether the peer still wants packets. It begins in the controlling role, as the one who offers.
 *
 * @see RFC 8445 §6 to §8, RFC 7675
 */
export class IceAgent {
	readonly local: IceCredentials = newIceCredentials();
	readonly #key = createSecretKey(this.local.pwd, "latin1");
	readonly #random: () => number;
	readonly #pairs = new Map<string, Pair>();
	readonly #transactions = new Map<string, Transaction>();
	/** Pairs of which the peer was heard, which go first. RFC 8445 §7.3.1.4. */
	readonly #triggered: Pair[] = [];
	#remote: Remote | null = null;
	#role: IceRole = "controlling";
	#tieBreaker = randomBytes(8).readBigUInt64BE();
	#selected: Pair | null = null;
	/** Of the check that nominates. */
	#nominating: Pair | null = null;
	#firstSuccessMs = -1;
	#consentMs = 0;
	#nextConsentMs = 0;

	/** `random` gives numbers from 0 to 1. */
	constructor(random: () => number = Math.random) {
		this.#random = random;
	}

	get role(): IceRole {
		return this.#role;
	}

	/** Where packets are sent to; `null` until one of the two has decided. */
	get selected(): Route | null {
		return this.#selected?.route ?? null;
	}

	/** Names of the routes that the peer proved to have. */
	isProven(name: string): boolean {
		return this.#pairs.get(name)?.state === "succeeded";
	}

	/** Takes what the peer calls itself. Nothing is sent before. */
	setRemote({ ufrag, pwd }: IceCredentials): void {
		this.#remote = { ufrag, pwd, key: createSecretKey(pwd, "latin1") };
	}

	/** An address of the peer, with the priority of its candidate. What is known, or too much, is left out. */
	addRemote(route: Route, priority: number): void {
		this.#pairOf(route, priority);
	}

	/** Takes a binding request. The route is one to answer on. */
	check(message: StunMessage, route: Route, nowMs: number): IceAnswer {
		const id = message.transactionId;
		if (message.username === null || message.integrityAt === -1) return refused(writeBindingError(id, 400, null));
		const [ours, theirs] = message.username.split(":");
		if (ours !== this.local.ufrag || !hasIntegrity(message, this.#key)) {
			return refused(writeBindingError(id, 401, null));
		}
		if (this.#remote !== null && theirs !== this.#remote.ufrag) return refused(writeBindingError(id, 401, this.#key));
		if (message.unknown.length > 0) return refused(writeBindingError(id, 420, this.#key, message.unknown));
		if (message.role === this.#role) {
			// RFC 8445 §7.3.1.1: the greater number controls.
			const isOurs = this.#tieBreaker >= (message.tieBreaker ?? 0n);
			if (isOurs === (this.#role === "controlling")) return refused(writeBindingError(id, 487, this.#key));
			this.#switchRole();
		}
		const pair = this.#pairOf(route, message.priority ?? PEER_REFLEXIVE_PRIORITY);
		if (pair !== null) this.#heard(pair, message.useCandidate, nowMs);
		return { authenticated: true, response: writeBindingSuccess(id, route.remote, this.#key) };
	}

	/** Takes the answer to a check. What is not the answer to one of ours is left out. */
	response(message: StunMessage, routeName: string, nowMs: number): void {
		const id = hexOf(message.transactionId);
		const transaction = this.#transactions.get(id);
		// RFC 8445 §7.2.5.2.1: from where the request went to.
		if (transaction === undefined || transaction.pair.route.name !== routeName || this.#remote === null) return;
		if (!hasIntegrity(message, this.#remote.key)) return;
		this.#transactions.delete(id);
		const { pair, check } = transaction;
		if (message.kind === "error") this.#failed(pair, check, message.errorCode ?? 0);
		else this.#succeeded(pair, check, nowMs);
	}

	/** Sends what is due. To be called every {@link CHECK_INTERVAL_MS}. */
	tick(nowMs: number): void {
		if (this.#remote === null) return;
		this.#sendAgain(nowMs);
		if (this.#selected === null) {
			this.#nominate(nowMs);
			this.#checkNext(nowMs);
		} else if (nowMs >= this.#nextConsentMs) {
			this.#nextConsentMs = nowMs + CONSENT_INTERVAL_MS * (0.8 + 0.4 * this.#random());
			this.#begin(this.#selected, nowMs, false);
		}
	}

	/** Whether the peer may still be sent packets. RFC 7675 §5.1. */
	hasConsent(nowMs: number): boolean {
		return this.#selected === null || nowMs - this.#consentMs < CONSENT_MS;
	}

	#pairOf(route: Route, priority: number): Pair | null {
		const known = this.#pairs.get(route.name);
		if (known !== undefined) return known;
		if (this.#pairs.size >= MAX_PAIRS) return null;
		const pair: Pair = { route, priority, state: "waiting", isChosen: false };
		this.#pairs.set(route.name, pair);
		return pair;
	}

	#heard(pair: Pair, useCandidate: boolean, nowMs: number): void {
		if (useCandidate && this.#role === "controlled") {
			pair.isChosen = true;
			if (pair.state === "succeeded") this.#select(pair, nowMs);
		}
		if (pair.state === "succeeded" || this.#selected !== null || this.#triggered.includes(pair)) return;
		pair.state = "waiting";
		this.#triggered.push(pair);
	}

	#sendAgain(nowMs: number): void {
		for (const [id, { pair, check }] of this.#transactions) {
			if (nowMs < check.nextMs) continue;
			if (check.sends >= MAX_SENDS) {
				this.#transactions.delete(id);
				this.#failed(pair, check, 0);
			} else {
				check.nextMs = nowMs + FIRST_TIMEOUT_MS * 2 ** check.sends++;
				pair.route.send(check.bytes);
			}
		}
	}

	/** Decides, when nothing better can be expected soon. */
	#nominate(nowMs: number): void {
		if (this.#role !== "controlling" || this.#nominating !== null) return;
		const pairs = [...this.#pairs.values()].sort((a, b) => b.priority - a.priority);
		const best = pairs.find(({ state }) => state === "succeeded");
		if (best === undefined) return;
		const isBetterOpen = pairs.slice(0, pairs.indexOf(best)).some(({ state }) => state !== "failed");
		if (isBetterOpen && nowMs - this.#firstSuccessMs < BETTER_WAIT_MS) return;
		this.#nominating = best;
		this.#begin(best, nowMs, true);
	}

	#checkNext(nowMs: number): void {
		let next = this.#triggered.shift();
		if (next === undefined) {
			for (const pair of this.#pairs.values()) {
				if (pair.state === "waiting" && (next === undefined || pair.priority > next.priority)) next = pair;
			}
		}
		if (next === undefined || next.state === "succeeded") return;
		next.state = "checking";
		this.#begin(next, nowMs, false);
	}

	#begin(pair: Pair, nowMs: number, useCandidate: boolean): void {
		if (this.#remote === null) return;
		const transactionId = randomBytes(12);
		const request = {
			transactionId,
			username: `${this.#remote.ufrag}:${this.local.ufrag}`,
			priority: PEER_REFLEXIVE_PRIORITY,
			role: this.#role,
			tieBreaker: this.#tieBreaker,
			useCandidate,
		};
		const bytes = writeBindingRequest(request, this.#remote.key);
		const check: Check = { bytes, role: this.#role, useCandidate, sends: 1, nextMs: nowMs + FIRST_TIMEOUT_MS };
		this.#transactions.set(hexOf(transactionId), { pair, check });
		pair.route.send(bytes);
	}

	#succeeded(pair: Pair, check: Check, nowMs: number): void {
		if (this.#firstSuccessMs === -1) this.#firstSuccessMs = nowMs;
		pair.state = "succeeded";
		if (pair === this.#selected) this.#consentMs = nowMs;
		const isDecided = check.useCandidate ? check.role === this.#role : this.#role === "controlled" && pair.isChosen;
		if (isDecided && this.#selected === null) this.#select(pair, nowMs);
	}

	/** A peer that decides may change its mind. */
	#select(pair: Pair, nowMs: number): void {
		if (this.#selected === pair) return;
		this.#selected = pair;
		this.#consentMs = nowMs;
		this.#nextConsentMs = nowMs + CONSENT_INTERVAL_MS;
		this.#triggered.length = 0;
		this.#transactions.clear();
	}

	#failed(pair: Pair, check: Check, code: number): void {
		if (check.useCandidate) this.#nominating = null;
		// Consent runs out by itself: one question without an answer says nothing.
		if (pair === this.#selected) return;
		// RFC 8445 §7.2.5.1. Whoever is told twice has switched already.
		const isConflict = code === 487;
		if (isConflict && check.role === this.#role) this.#switchRole();
		pair.state = isConflict ? "waiting" : "failed";
		if (isConflict) this.#triggered.push(pair);
	}

	#switchRole(): void {
		this.#role = this.#role === "controlling" ? "controlled" : "controlling";
		this.#tieBreaker = randomBytes(8).readBigUInt64BE();
		this.#nominating = null;
	}
}

function refused(response: Uint8Array): IceAnswer {
	return { authenticated: false, response };
}

function hexOf(id: Uint8Array): string {
	return Buffer.from(id.buffer, id.byteOffset, id.length).toString("hex");
}
