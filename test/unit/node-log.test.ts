import { describe, expect, it } from "vitest";
import {
	LogBatch,
	logEvent,
	MAX_BATCH_EVENTS,
	MAX_MESSAGE_BYTES,
	MAX_WAITING_EVENTS,
} from "../../infra/node/aws/log-batch.ts";
import { LogShipper } from "../../infra/node/aws/log-shipper.ts";

const NOW = Date.UTC(2026, 10, 21);
const line = (message: unknown, ms = NOW) => JSON.stringify({ MESSAGE: message, __REALTIME_TIMESTAMP: `${ms}123` });

type Call = { target: string; body: { logEvents?: { timestamp: number; message: string }[] } };

/** CloudWatch Logs; `answer` may refuse a call. */
function cloudWatch(answer: (call: Call) => Response = () => Response.json({})) {
	const calls: Call[] = [];
	const shipper = new LogShipper(
		{ group: "/sluice/test/nodes", stream: "i-1" },
		{
			region: "eu-west-1",
			credentials: async () => ({ accessKeyId: "a", secretAccessKey: "s", sessionToken: null }),
			now: () => NOW,
			fetch: async (_url, init) => {
				const headers = init.headers as Record<string, string>;
				const call = { target: headers["x-amz-target"]?.split(".")[1] ?? "", body: JSON.parse(String(init.body)) };
				calls.push(call);
				return answer(call);
			},
		},
	);
	return { shipper, calls };
}

describe("a line of the journal", () => {
	it("keeps its text and its time in milliseconds", () => {
		expect(logEvent(line("hello"))).toEqual({ timestamp: NOW, message: "hello" });
	});

	it("may be bytes that are no text, as the journal writes them", () => {
		expect(logEvent(line([0x68, 0x69]))?.message).toBe("hi");
	});

	it("is cut to what CloudWatch takes, between characters", () => {
		const cut = logEvent(line("ä".repeat(MAX_MESSAGE_BYTES)))?.message ?? "";
		expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
		expect(cut.length).toBeGreaterThan(MAX_MESSAGE_BYTES / 2 - 4);
	});

	it("is left out when it is none", () => {
		const whole = line("hello");
		for (let end = 0; end < whole.length; end++) expect(logEvent(whole.slice(0, end))).toBeNull();
		for (const text of ["null", "1", "[]", "{}", line(""), line(null), '{"MESSAGE":"x","__REALTIME_TIMESTAMP":"soon"}'])
			expect(logEvent(text)).toBeNull();
	});
});

describe("a batch of log lines", () => {
	it("has no more bytes and events than a call takes, and is in the order of time", () => {
		const batch = new LogBatch();
		for (let n = 0; n < 100; n++) batch.add({ timestamp: NOW - n, message: "x".repeat(MAX_MESSAGE_BYTES) });
		const next = batch.next();
		const bytes = next.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0);
		expect(bytes).toBeLessThanOrEqual(1_048_576);
		expect(next.length).toBeGreaterThan(30);
		expect(next.map(({ timestamp }) => timestamp)).toEqual(
			next.map(({ timestamp }) => timestamp).sort((a, b) => a - b),
		);
		batch.sent(next.length);
		expect(batch.size).toBe(100 - next.length);
		for (let n = 0; n < MAX_BATCH_EVENTS + 1; n++) batch.add({ timestamp: n, message: "" });
		batch.sent(batch.size - MAX_BATCH_EVENTS - 1);
		expect(batch.next()).toHaveLength(MAX_BATCH_EVENTS);
	});

	it("drops the oldest lines when nobody takes them, and counts them", () => {
		const batch = new LogBatch();
		for (let n = 0; n < MAX_WAITING_EVENTS + 5; n++) batch.add({ timestamp: n, message: "x" });
		expect(batch.size).toBe(MAX_WAITING_EVENTS);
		expect(batch.next()[0]?.timestamp).toBe(5);
		expect(batch.takeLost()).toBe(5);
		expect(batch.takeLost()).toBe(0);
	});
});

describe("sending the log on", () => {
	it("makes the stream once, then sends what waits", async () => {
		const { shipper, calls } = cloudWatch();
		await shipper.flush();
		expect(calls).toEqual([]);
		shipper.add(line("one"));
		shipper.add("not a line of the journal");
		await shipper.flush();
		shipper.add(line("two"));
		await shipper.flush();
		expect(calls.map(({ target }) => target)).toEqual(["CreateLogStream", "PutLogEvents", "PutLogEvents"]);
		expect(calls[2]?.body).toEqual({
			logGroupName: "/sluice/test/nodes",
			logStreamName: "i-1",
			logEvents: [{ timestamp: NOW, message: "two" }],
		});
	});

	it("keeps lines that could not be sent, and sends them once", async () => {
		let isAway = true;
		const { shipper, calls } = cloudWatch(({ target }) =>
			target === "PutLogEvents" && isAway ? new Response("busy", { status: 503 }) : Response.json({}),
		);
		shipper.add(line("one"));
		await expect(shipper.flush()).rejects.toThrow(/logs answered 503/);
		isAway = false;
		await Promise.all([shipper.flush(), shipper.flush()]);
		await shipper.flush();
		expect(calls.filter(({ target }) => target === "PutLogEvents")).toHaveLength(2);
	});

	it("goes on with the stream of an agent before it", async () => {
		const { shipper, calls } = cloudWatch(({ target }) =>
			target === "CreateLogStream"
				? new Response('{"__type":"ResourceAlreadyExistsException"}', { status: 400 })
				: Response.json({}),
		);
		shipper.add(line("one"));
		await shipper.flush();
		expect(calls.map(({ target }) => target)).toEqual(["CreateLogStream", "PutLogEvents"]);
	});
});
