import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CHECK_INTERVAL_MS, IceAgent, MAX_PAIRS } from "./ice-agent.ts";
import { IceLite } from "./ice-lite.ts";
import type { Route } from "./route.ts";
import { parseStun, type StunMessage } from "./stun.ts";
import { writeBindingError, writeBindingRequest, writeBindingSuccess } from "./stun-writer.ts";

/** A way on which what is sent is kept. */
function way(port: number): Route & { readonly sent: Uint8Array[] } {
	const sent: Uint8Array[] = [];
	return {
		...{ sent, transport: "udp", remote: { address: "192.0.2.1", port }, name: `192.0.2.1 ${port}` },
		outgoing: () => new Uint8Array(2048),
		sendOutgoing: () => false,
		send: (bytes) => sent.push(bytes) > 0,
	};
}

function parsed(bytes: Uint8Array | null | undefined): StunMessage {
	const message = bytes === null || bytes === undefined ? null : parseStun(bytes);
	if (message === null) throw new Error("No STUN");
	return message;
}

const PEER = { ufrag: "peer", pwd: "p".repeat(22) };
const PEER_KEY = createSecretKey(PEER.pwd, "latin1");

/** Answers all that was sent on a way. */
function answer(agent: IceAgent, route: ReturnType<typeof way>, nowMs: number, key = PEER_KEY): StunMessage[] {
	return route.sent.splice(0).map((bytes) => {
		const request = parsed(bytes);
		const success = writeBindingSuccess(request.transactionId, { address: "192.0.2.9", port: 9 }, key);
		agent.response(parsed(success), route.name, nowMs);
		return request;
	});
}

function open(...priorities: number[]) {
	const agent = new IceAgent(() => 0.5);
	agent.setRemote(PEER);
	const ways = priorities.map((priority, at) => {
		const route = way(1000 + at);
		agent.addRemote(route, priority);
		return route;
	});
	let nowMs = 0;
	const run = (ms: number) => {
		for (let left = ms; left > 0; left -= CHECK_INTERVAL_MS) {
			agent.tick(nowMs);
			nowMs += CHECK_INTERVAL_MS;
		}
	};
	return { agent, ways, run, now: () => nowMs };
}

/** A check of the peer. */
function checkOf(agent: IceAgent, options: { role: "controlling" | "controlled"; tieBreaker?: bigint; use?: boolean }) {
	const { role, tieBreaker = 0n, use = false } = options;
	const request = {
		...{ transactionId: new Uint8Array(12), username: `${agent.local.ufrag}:${PEER.ufrag}`, priority: 5 },
		...{ role, tieBreaker, useCandidate: use },
	};
	return parsed(writeBindingRequest(request, createSecretKey(agent.local.pwd, "latin1")));
}

describe("IceAgent", () => {
	it("checks the best address first, nominates it, and takes it when the peer agrees", () => {
		const { agent, ways, run, now } = open(1, 2);
		const [worse, better] = ways as [ReturnType<typeof way>, ReturnType<typeof way>];
		run(CHECK_INTERVAL_MS);
		expect([worse.sent.length, better.sent.length]).toEqual([0, 1]);
		const [first] = answer(agent, better, now());
		expect(first).toMatchObject({ username: `peer:${agent.local.ufrag}`, role: "controlling", useCandidate: false });
		expect(agent.selected).toBeNull();
		run(CHECK_INTERVAL_MS);
		const [second] = answer(agent, better, now());
		expect(second?.useCandidate).toBe(true);
		expect(agent.selected).toBe(better);
		expect(agent.isProven(better.name)).toBe(true);
		expect(agent.isProven(worse.name)).toBe(false);
	});

	it("connects to an agent that does ICE lite", () => {
		const lite = new IceLite();
		const agent = new IceAgent();
		const toLite = way(1);
		agent.setRemote(lite.local);
		lite.setRemote(agent.local.ufrag);
		agent.addRemote(toLite, 1);
		for (let nowMs = 0; nowMs < 200; nowMs += CHECK_INTERVAL_MS) {
			agent.tick(nowMs);
			for (const bytes of toLite.sent.splice(0)) {
				const { response } = lite.check(parsed(bytes), way(2), nowMs, () => {});
				agent.response(parsed(response), toLite.name, nowMs);
			}
		}
		expect(agent.selected).toBe(toLite);
		expect(lite.nominated).toBe(true);
	});

	it("gives a better address a moment before it takes one that works", () => {
		const { agent, ways, run, now } = open(2, 1);
		const worse = ways[1] as ReturnType<typeof way>;
		run(2 * CHECK_INTERVAL_MS);
		answer(agent, worse, now());
		run(250);
		expect(worse.sent).toEqual([]);
		run(150);
		expect(answer(agent, worse, now()).map(({ useCandidate }) => useCandidate)).toEqual([true]);
		expect(agent.selected).toBe(worse);
	});

	it("sends a check again, at longer and longer intervals, and gives the address up", () => {
		const { ways, run } = open(1);
		const [route] = ways as [ReturnType<typeof way>];
		const counts = [50, 500, 1000, 2000, 4000, 8000, 60_000].map((ms) => {
			run(ms);
			return route.sent.length;
		});
		expect(counts).toEqual([1, 2, 3, 4, 5, 6, 6]);
		expect(new Set(route.sent.map((bytes) => Buffer.from(bytes).toString("hex"))).size).toBe(1);
	});

	it("takes no answer that is not the peer's, is from elsewhere, or is to nothing", () => {
		const { agent, ways, run, now } = open(1);
		const [route] = ways as [ReturnType<typeof way>];
		run(CHECK_INTERVAL_MS);
		const sent = [...route.sent];
		answer(agent, route, now(), createSecretKey("x".repeat(22), "latin1"));
		const request = parsed(sent[0]);
		const success = writeBindingSuccess(request.transactionId, { address: "192.0.2.9", port: 9 }, PEER_KEY);
		agent.response(parsed(success), "192.0.2.2 1", now());
		const other = writeBindingSuccess(new Uint8Array(12), { address: "192.0.2.9", port: 9 }, PEER_KEY);
		agent.response(parsed(other), route.name, now());
		run(CHECK_INTERVAL_MS);
		expect(agent.isProven(route.name)).toBe(false);
		agent.response(parsed(success), route.name, now());
		expect(agent.isProven(route.name)).toBe(true);
	});

	it("asks for consent every five seconds, and has it for 30 s after the last answer", () => {
		const { agent, ways, run, now } = open(1);
		const [route] = ways as [ReturnType<typeof way>];
		run(50);
		answer(agent, route, now());
		run(50);
		answer(agent, route, now());
		run(5_100);
		expect(answer(agent, route, now()).length).toBe(1);
		run(29_950);
		expect(agent.hasConsent(now())).toBe(true);
		run(100);
		expect(agent.hasConsent(now())).toBe(false);
	});

	it("answers the peer's checks, and checks back where it was heard", () => {
		const { agent, run, now } = open();
		const route = way(7);
		const { authenticated, response } = agent.check(checkOf(agent, { role: "controlled" }), route, 0);
		expect(authenticated).toBe(true);
		expect(parsed(response)).toMatchObject({ kind: "success", mappedAddress: { address: "192.0.2.1", port: 7 } });
		run(50);
		answer(agent, route, now());
		run(50);
		answer(agent, route, now());
		expect(agent.selected).toBe(route);
	});

	it("refuses checks with another password, for somebody else, and of somebody else", () => {
		const { agent } = open();
		const route = way(7);
		const request = { transactionId: new Uint8Array(12), priority: 5, tieBreaker: 0n, useCandidate: true };
		const code = (username: string, pwd: string) => {
			const bytes = writeBindingRequest({ ...request, username, role: "controlled" }, createSecretKey(pwd, "latin1"));
			const { authenticated, response } = agent.check(parsed(bytes), route, 0);
			return [authenticated, parsed(response).errorCode];
		};
		const { ufrag, pwd } = agent.local;
		expect(code(`${ufrag}:peer`, "x".repeat(22))).toEqual([false, 401]);
		expect(code("other:peer", pwd)).toEqual([false, 401]);
		expect(code(`${ufrag}:other`, pwd)).toEqual([false, 401]);
	});

	it("settles who controls by the greater number", () => {
		const { agent } = open();
		const lost = agent.check(checkOf(agent, { role: "controlling", tieBreaker: 0n }), way(7), 0);
		expect(parsed(lost.response).errorCode).toBe(487);
		expect(agent.role).toBe("controlling");
		const won = agent.check(checkOf(agent, { role: "controlling", tieBreaker: 2n ** 64n - 1n }), way(7), 0);
		expect(parsed(won.response).kind).toBe("success");
		expect(agent.role).toBe("controlled");
	});

	it("takes what the peer chooses, once the peer controls", () => {
		const { agent, ways, run, now } = open(1);
		const [route] = ways as [ReturnType<typeof way>];
		run(50);
		const request = parsed(route.sent.pop());
		agent.response(parsed(writeBindingError(request.transactionId, 487, PEER_KEY)), route.name, now());
		expect(agent.role).toBe("controlled");
		run(50);
		expect(answer(agent, route, now())).toMatchObject([{ role: "controlled" }]);
		expect(agent.selected).toBeNull();
		agent.check(checkOf(agent, { role: "controlling", use: true }), route, now());
		expect(agent.selected).toBe(route);
		expect(agent.hasConsent(now() + 29_000)).toBe(true);
	});

	it("knows so many addresses and no more", () => {
		const { ways, run } = open(...Array.from({ length: MAX_PAIRS + 3 }, (_, at) => at + 1));
		run(CHECK_INTERVAL_MS * (MAX_PAIRS + 10));
		expect(ways.filter(({ sent }) => sent.length > 0).length).toBe(MAX_PAIRS);
	});
});
