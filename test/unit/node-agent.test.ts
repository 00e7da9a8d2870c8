import { beforeEach, describe, expect, it } from "vitest";
import {
	Agent,
	IDLE_AFTER_MS,
	LAUNCH_HOOK,
	LOOK_MS,
	type NodeStatus,
	TERMINATE_HOOK,
	UNHEALTHY_AFTER_MS,
} from "../../infra/node/aws/agent.ts";
import { nodeStatus } from "../../infra/node/aws/node-status.ts";
import { FakeClock } from "../support/fake-clock.ts";

const HEALTHY: NodeStatus = { isHealthy: true, isBusy: false };
const BUSY: NodeStatus = { isHealthy: true, isBusy: true };
const SILENT: NodeStatus = { isHealthy: false, isBusy: false };

describe("the agent of a node in a group", () => {
	let clock: FakeClock;
	let calls: string[];
	let status: NodeStatus;
	let target: string | null;
	let failures: number;
	let agent: Agent;

	beforeEach(() => {
		clock = new FakeClock();
		calls = [];
		status = SILENT;
		target = "InService";
		failures = 0;
		const called = async (call: string) => {
			if (failures-- > 0) throw new Error("no route to AWS");
			calls.push(call);
		};
		agent = new Agent({
			group: {
				proceed: (hook, id) => called(`proceed ${hook} ${id}`),
				reportUnhealthy: (id) => called(`unhealthy ${id}`),
				release: (id) => called(`release ${id}`),
			},
			instanceId: "i-1",
			targetState: async () => target,
			node: async () => status,
			stopNode: () => called("stop"),
			clock,
			log: () => undefined,
		});
	});

	/** Looks as often as in `ms` of a machine's life. */
	async function live(ms: number): Promise<void> {
		for (let spent = 0; spent < ms; spent += LOOK_MS) {
			await agent.look();
			await clock.advance(LOOK_MS);
		}
	}

	it("lets a new node into the group once it answers, not before", async () => {
		await live(60_000);
		expect(calls).toEqual([]);
		status = HEALTHY;
		await live(LOOK_MS * 3);
		expect(calls).toEqual([`proceed ${LAUNCH_HOOK} i-1`]);
	});

	it("says so again when AWS could not be reached", async () => {
		status = HEALTHY;
		failures = 2;
		await live(LOOK_MS * 3);
		expect(calls).toEqual([`proceed ${LAUNCH_HOOK} i-1`]);
	});

	it("asks for another machine when the node has not answered for two minutes", async () => {
		status = HEALTHY;
		await live(LOOK_MS);
		status = SILENT;
		await live(UNHEALTHY_AFTER_MS - LOOK_MS);
		expect(calls).toHaveLength(1);
		await live(LOOK_MS);
		expect(calls[1]).toBe("unhealthy i-1");
	});

	it("gives a machine back after fifteen minutes without a stream", async () => {
		status = BUSY;
		await live(IDLE_AFTER_MS * 2);
		expect(calls).toHaveLength(1);
		status = HEALTHY;
		await live(IDLE_AFTER_MS - LOOK_MS);
		expect(calls).toHaveLength(1);
		await live(LOOK_MS * 2);
		expect(calls[1]).toBe("release i-1");
	});

	it("does not give back a machine whose node is ill: that one is replaced", async () => {
		status = HEALTHY;
		await live(LOOK_MS);
		status = SILENT;
		await live(IDLE_AFTER_MS * 2);
		expect(calls.filter((call) => call.startsWith("release"))).toEqual([]);
	});

	it("stops the node before it lets the group end the machine, and does so once", async () => {
		status = BUSY;
		await live(LOOK_MS);
		target = "Terminated";
		await live(LOOK_MS * 4);
		expect(calls.slice(1)).toEqual(["stop", `proceed ${TERMINATE_HOOK} i-1`]);
	});

	it("leaves a machine alone that is in no group", async () => {
		target = null;
		status = HEALTHY;
		await live(IDLE_AFTER_MS * 2);
		expect(calls).toEqual([]);
	});
});

describe("the health of a node, by its metrics", () => {
	const answer = (text: string, code = 200) =>
		nodeStatus("http://node/metrics", async () => new Response(text, { status: code }));

	it("is busy while a path has a stream", async () => {
		expect(await answer('paths{name="cam",state="ready"} 1\n')).toEqual(BUSY);
		expect(await answer('paths{name="cam",state="notReady"} 1\n')).toEqual(HEALTHY);
		expect(await answer('paths{name="cam",state="ready"} 0\npaths_readers{state="ready"} 3\n')).toEqual(HEALTHY);
		expect(await answer("paths 0\n")).toEqual(HEALTHY);
	});

	it("is bad when they do not come", async () => {
		expect(await answer("", 500)).toEqual(SILENT);
		expect(await nodeStatus("http://node/metrics", () => Promise.reject(new Error("refused")))).toEqual(SILENT);
	});
});
