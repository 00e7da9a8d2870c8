import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CONSENT_MS, DISCONNECTED_MS, type IceCredentials, IceLite, MAX_ROUTES } from "./ice-lite.ts";
import type { Route } from "./route.ts";
import { hasIntegrity, parseStun, type StunMessage } from "./stun.ts";
import { type BindingRequest, writeBindingRequest } from "./stun-writer.ts";

function route(port: number): Route {
	const remote = { address: "192.0.2.7", port };
	const send = () => true;
	return {
		transport: "udp",
		remote,
		name: `192.0.2.7 ${port}`,
		outgoing: () => new Uint8Array(),
		sendOutgoing: send,
		send,
	};
}

function check({ ufrag, pwd }: IceCredentials, changes: Partial<BindingRequest> = {}): StunMessage {
	const request: BindingRequest = {
		...{ transactionId: new Uint8Array(12), username: `${ufrag}:peer`, priority: 1, role: "controlling" },
		...{ tieBreaker: 1n, useCandidate: false },
		...changes,
	};
	return parseStun(writeBindingRequest(request, createSecretKey(pwd, "latin1")))!;
}

const nothing = () => {};

function codeOf(response: Uint8Array | null): number | null {
	return response === null ? null : (parseStun(response)?.errorCode ?? null);
}

describe("IceLite", () => {
	it("has names and passwords of ICE characters, long enough and never the same", () => {
		const [one, two] = [new IceLite().local, new IceLite().local];
		expect(one.ufrag).toMatch(/^[A-Za-z0-9+/]{8,}$/);
		expect(one.pwd).toMatch(/^[A-Za-z0-9+/]{24,}$/);
		expect(one.ufrag).not.toBe(two.ufrag);
		expect(one.pwd).not.toBe(two.pwd);
	});

	it("answers a right check with the address that it came from, signed", () => {
		const ice = new IceLite();
		const { authenticated, response } = ice.check(check(ice.local), route(5), 0, nothing);
		const message = parseStun(response!)!;
		expect(authenticated).toBe(true);
		expect(message).toMatchObject({ kind: "success", mappedAddress: { address: "192.0.2.7", port: 5 } });
		expect(hasIntegrity(message, createSecretKey(ice.local.pwd, "latin1"))).toBe(true);
	});

	it.each<[string, number, (local: IceCredentials) => StunMessage]>([
		["with another password", 401, ({ ufrag }) => check({ ufrag, pwd: "x".repeat(24) })],
		["with another name", 401, ({ pwd }) => check({ ufrag: "somebody", pwd })],
		["without a colon in its name", 401, (local) => check(local, { username: local.ufrag })],
		["of another peer", 401, (local) => check(local, { username: `${local.ufrag}:other` })],
		["of a peer that wants to be controlled too", 487, (local) => check(local, { role: "controlled" })],
		["without integrity", 400, (local) => ({ ...check(local), integrityAt: -1 })],
		["with what is not understood", 420, (local) => ({ ...check(local), unknown: [0x7777] })],
	])("refuses a check %s, which changes nothing", (_name, code, make) => {
		const ice = new IceLite();
		ice.setRemote("peer");
		const { authenticated, response } = ice.check({ ...make(ice.local), useCandidate: true }, route(1), 0, nothing);
		expect([authenticated, codeOf(response), ice.selected, ice.state(0)]).toEqual([false, code, null, "new"]);
		expect(ice.knows(route(1).name)).toBe(false);
	});

	it("sends where it was heard first, until the peer nominates, and then only where it nominates", () => {
		const ice = new IceLite();
		const at = (port: number, useCandidate: boolean) => {
			ice.check(check(ice.local, { useCandidate }), route(port), 0, nothing);
			return ice.selected?.remote.port;
		};
		expect([at(1, false), at(2, false), at(2, true), at(1, false), at(3, true), at(2, false)]).toEqual([
			...[1, 1, 2, 2, 3, 3],
		]);
	});

	it("is in trouble after 5 s without a check, comes back with the next, and is dead after 30 s", () => {
		const ice = new IceLite();
		ice.check(check(ice.local), route(1), 1000, nothing);
		expect(ice.state(1000 + DISCONNECTED_MS - 1)).toBe("connected");
		expect(ice.state(1000 + DISCONNECTED_MS)).toBe("disconnected");
		ice.check(check(ice.local), route(1), 20_000, nothing);
		expect(ice.state(20_001)).toBe("connected");
		expect(ice.state(20_000 + CONSENT_MS - 1)).toBe("disconnected");
		expect(ice.state(20_000 + CONSENT_MS)).toBe("dead");
	});

	it("is not kept alive by checks that are wrong", () => {
		const ice = new IceLite();
		ice.check(check(ice.local), route(1), 0, nothing);
		ice.check(check({ ufrag: ice.local.ufrag, pwd: "wrong" }), route(1), CONSENT_MS - 1, nothing);
		expect(ice.state(CONSENT_MS)).toBe("dead");
	});

	it("knows few routes at once: the one that was silent the longest goes, never the selected one", () => {
		const ice = new IceLite();
		const gone: number[] = [];
		for (let port = 1; port <= MAX_ROUTES + 3; port++) {
			const message = check(ice.local, { useCandidate: port === 1 });
			ice.check(message, route(port), port, ({ remote }) => gone.push(remote.port));
		}
		expect(gone).toEqual([2, 3, 4]);
		expect(ice.routes).toHaveLength(MAX_ROUTES);
		expect(ice.selected?.remote.port).toBe(1);
	});

	it("takes both credentials after a restart until the new ones are used, each with its own name of the peer", () => {
		const ice = new IceLite();
		ice.setRemote("peer");
		const old = ice.local;
		ice.check(check(old), route(1), 0, nothing);
		ice.restart();
		ice.setRemote("peer2");
		ice.restart();
		ice.setRemote("peer3");
		expect(ice.check(check(old), route(1), 1, nothing).authenticated).toBe(true);
		expect(ice.check(check(ice.local), route(1), 1, nothing).authenticated).toBe(false);
		expect(ice.ufrags).toHaveLength(2);
		const renewed = check(ice.local, { username: `${ice.local.ufrag}:peer3` });
		expect(ice.check(renewed, route(2), 1, nothing).authenticated).toBe(true);
		expect(ice.ufrags).toEqual([ice.local.ufrag]);
		expect(ice.check(check(old), route(1), 1, nothing).authenticated).toBe(false);
	});

	it("sends by the new connection when one from the same address takes the place of another", () => {
		const ice = new IceLite();
		const [old, next] = [route(1), route(1)];
		ice.check(check(ice.local, { useCandidate: true }), old, 0, nothing);
		ice.check(check(ice.local), next, 1, nothing);
		expect(ice.selected).toBe(next);
		ice.forget(old);
		expect(ice.selected).toBe(next);
	});

	it("goes on where it was heard last when the connection that was selected closes", () => {
		const ice = new IceLite();
		const routes = [route(1), route(2), route(3)];
		for (const [at, one] of routes.entries()) ice.check(check(ice.local, { useCandidate: at === 0 }), one, at, nothing);
		ice.forget(route(1));
		expect(ice.selected?.remote.port).toBe(1);
		ice.forget(routes[0]!);
		expect(ice.selected?.remote.port).toBe(3);
	});
});
