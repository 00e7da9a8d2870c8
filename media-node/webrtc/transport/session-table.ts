import { packetKind } from "./demultiplex.ts";
import type { Route } from "./route.ts";
import { parseStun, type StunMessage } from "./stun.ts";

/** What a session gets from the sockets. */
export interface MuxSession {
	/** Takes a binding request with its user name. `true`: its sender proved to be the peer. */
	check(message: StunMessage, route: Route): boolean;
	/** Takes a packet that is no STUN, from a route that proved itself. */
	receive(bytes: Uint8Array): void;
	/** Whether the peer was heard on the route lately. */
	holds(routeName: string): boolean;
	/** The route is no more. */
	lost(route: Route): void;
}

/** How many sessions one endpoint has; one that is full takes no new ones. */
export const MAX_SESSIONS = 20_000;

/**
 * The sessions of all sockets: by user name for STUN, and by route for all else. A route comes into the table with a
 * check that its session finds right, and no other session takes it while the peer is heard there.
 */
export class SessionTable {
	readonly #byUfrag = new Map<string, MuxSession>();
	readonly #byRoute = new Map<string, { readonly route: Route; readonly session: MuxSession }>();
	/** Packets that belong to nobody. */
	strangers = 0;
	/** Checks that were not answered with success. */
	refusedChecks = 0;

	get size(): number {
		return this.#byUfrag.size;
	}

	get routeCount(): number {
		return this.#byRoute.size;
	}

	get isFull(): boolean {
		return this.#byUfrag.size >= MAX_SESSIONS;
	}

	add(ufrag: string, session: MuxSession): void {
		this.#byUfrag.set(ufrag, session);
	}

	removeUfrag(ufrag: string): void {
		this.#byUfrag.delete(ufrag);
	}

	removeRoute(route: Route, session: MuxSession): void {
		if (this.#byRoute.get(route.name)?.session === session) this.#byRoute.delete(route.name);
	}

	/** A route is no more: a connection that closed. */
	lose(route: Route): void {
		const entry = this.#byRoute.get(route.name);
		if (entry?.route !== route) return;
		this.#byRoute.delete(route.name);
		entry.session.lost(route);
	}

	routeOf(name: string): Route | undefined {
		return this.#byRoute.get(name)?.route;
	}

	/** Takes what looks like STUN from anywhere. */
	receiveStun(bytes: Uint8Array, route: Route): void {
		const message = parseStun(bytes);
		const username = message?.username;
		if (message === null || message.kind !== "request" || username === null || username === undefined) {
			this.strangers++;
			return;
		}
		const session = this.#byUfrag.get(username.slice(0, Math.max(username.indexOf(":"), 0)));
		if (session === undefined) {
			this.strangers++;
			return;
		}
		const owner = this.#byRoute.get(route.name)?.session;
		// A sender's address can be forged by who has a session of his own.
		if (owner !== undefined && owner !== session && owner.holds(route.name)) {
			this.refusedChecks++;
			return;
		}
		if (session.check(message, route)) this.#byRoute.set(route.name, { route, session });
		else this.refusedChecks++;
	}

	/** Takes a packet that is no STUN from the route of that name. */
	receive(bytes: Uint8Array, name: string): void {
		const entry = this.#byRoute.get(name);
		if (entry === undefined || packetKind(bytes) === "unknown") this.strangers++;
		else entry.session.receive(bytes);
	}
}
