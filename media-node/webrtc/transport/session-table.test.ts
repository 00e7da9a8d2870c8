import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Route } from "./route.ts";
import { type MuxSession, SessionTable } from "./session-table.ts";
import { writeBindingRequest } from "./stun-writer.ts";

const KEY = createSecretKey("any", "latin1");
const RTP = Uint8Array.of(0x80, 96);

function check(ufrag: string): Uint8Array {
	return writeBindingRequest(
		{
			...{ transactionId: new Uint8Array(12), username: `${ufrag}:x`, priority: 1, role: "controlling" },
			...{ tieBreaker: 1n, useCandidate: true },
		},
		KEY,
	);
}

function route(name: string): Route {
	const send = () => true;
	const remote = { address: name, port: 1 };
	return { transport: "udp", remote, name, outgoing: () => new Uint8Array(), sendOutgoing: send, send };
}

function session({ isRight = true, holds = true } = {}) {
	const log: string[] = [];
	const it: MuxSession = {
		check: ({ username }) => {
			log.push(`check ${username}`);
			return isRight;
		},
		receive: (bytes) => void log.push(`packet ${bytes[0]}`),
		holds: () => holds,
		lost: ({ name }) => void log.push(`lost ${name}`),
	};
	return { it, log };
}

describe("SessionTable", () => {
	it("finds a session by name, and by route once its check was right", () => {
		const table = new SessionTable();
		const { it: one, log } = session();
		table.add("one", one);
		table.receive(RTP, "a");
		expect(table.strangers).toBe(1);
		table.receiveStun(check("one"), route("a"));
		table.receive(RTP, "a");
		expect(log).toEqual(["check one:x", "packet 128"]);
	});

	it("counts what belongs to nobody", () => {
		const table = new SessionTable();
		table.add("one", session().it);
		for (const bytes of [check("two"), check(""), new Uint8Array(20), check("one").slice(0, -1)]) {
			table.receiveStun(bytes, route("a"));
		}
		table.receive(Uint8Array.of(70, 0), "a");
		expect([table.strangers, table.routeCount]).toEqual([5, 0]);
	});

	it("gives no route to a session whose check was wrong", () => {
		const table = new SessionTable();
		const { it: one, log } = session({ isRight: false });
		table.add("one", one);
		table.receiveStun(check("one"), route("a"));
		table.receive(RTP, "a");
		expect([log, table.refusedChecks, table.strangers]).toEqual([["check one:x"], 1, 1]);
	});

	it("does not let a session take the route of another that is heard there", () => {
		const table = new SessionTable();
		const [victim, thief] = [session(), session()];
		table.add("victim", victim.it);
		table.add("thief", thief.it);
		table.receiveStun(check("victim"), route("a"));
		table.receiveStun(check("thief"), route("a"));
		table.receive(RTP, "a");
		expect(victim.log).toEqual(["check victim:x", "packet 128"]);
		expect([thief.log, table.refusedChecks]).toEqual([[], 1]);
	});

	it("gives the route of a silent session to the next, whose it stays", () => {
		const table = new SessionTable();
		const [old, next] = [session({ holds: false }), session()];
		table.add("old", old.it);
		table.add("next", next.it);
		const shared = route("a");
		table.receiveStun(check("old"), shared);
		table.receiveStun(check("next"), shared);
		table.removeRoute(shared, old.it);
		table.receive(RTP, "a");
		expect(next.log).toEqual(["check next:x", "packet 128"]);
	});

	it("tells the session when a connection closes", () => {
		const table = new SessionTable();
		const { it: one, log } = session();
		table.add("one", one);
		const gone = route("tcp");
		table.receiveStun(check("one"), gone);
		table.lose(route("tcp"));
		expect(table.routeCount).toBe(1);
		table.lose(gone);
		expect([log.at(-1), table.routeCount]).toEqual(["lost tcp", 0]);
	});
});
