import { describe, expect, it } from "vitest";
import {
	parseData,
	parseForwardTsn,
	parseInit,
	parseSack,
	parseStreamResets,
	type SctpData,
	type SctpInit,
	writeData,
	writeInit,
	writeResetResponse,
	writeSack,
} from "./sctp-chunk.ts";

const CHUNKS = "../../../node_modules/werift/lib/sctp/src/chunk.js";
const PARAMETERS = "../../../node_modules/werift/lib/sctp/src/param.js";

const init: SctpInit = {
	...{ tag: 7, window: 65_536, outboundStreams: 10, inboundStreams: 20, firstTsn: 0xffff_fff0, cookie: null },
	...{ hasForwardTsn: true, hasReconfig: true },
};
const data: SctpData = {
	...{ tsn: 5, stream: 3, ssn: 9, ppid: 53, unordered: true, begins: true, ends: false },
	payload: Uint8Array.of(1, 2, 3),
};

/** Every way of cutting off what a parser reads: it throws nothing. */
function cuts(body: Uint8Array, parse: (body: Uint8Array) => unknown): unknown[] {
	return Array.from(body, (_, length) => parse(body.subarray(0, length)));
}

describe("INIT", () => {
	it("is read as it was written, with the cookie of INIT ACK", () => {
		expect(parseInit(writeInit(init).body)).toEqual(init);
		const ack = { ...init, cookie: Uint8Array.of(1, 2, 3, 4, 5), hasReconfig: false };
		expect(writeInit(ack).type).toBe(2);
		expect(parseInit(writeInit(ack).body)).toEqual(ack);
	});

	it("is understood by another implementation", async () => {
		const { InitChunk } = await import(CHUNKS);
		const theirs = new InitChunk(0, Buffer.from(writeInit(init).body));
		expect([theirs.initiateTag, theirs.advertisedRwnd, theirs.outboundStreams, theirs.inboundStreams]).toEqual([
			7, 65_536, 10, 20,
		]);
		expect(theirs.initialTsn).toBe(0xffff_fff0);
		expect(theirs.params.map(([type]: [number]) => type)).toEqual([0xc000, 0x8008]);
	});

	it("is refused without a tag, without streams, or cut off", () => {
		expect(parseInit(writeInit({ ...init, tag: 0 }).body)).toBeNull();
		expect(parseInit(writeInit({ ...init, inboundStreams: 0 }).body)).toBeNull();
		const last = { ...init, hasForwardTsn: false, hasReconfig: false, cookie: Uint8Array.of(1, 2, 3, 4) };
		const { body } = writeInit(last);
		for (const cut of cuts(body, parseInit)) expect((cut as SctpInit | null)?.cookie ?? null).toBeNull();
	});

	it("has no cookie that would not fit into a packet", () => {
		expect(parseInit(writeInit({ ...init, cookie: new Uint8Array(2000) }).body)?.cookie).toBeNull();
	});
});

describe("DATA", () => {
	it("is read as it was written", () => {
		expect(parseData(writeData(data))).toEqual(data);
		const other = { ...data, unordered: false, begins: false, ends: true };
		expect(parseData(writeData(other))).toEqual(other);
	});

	it("is refused without data", () => {
		const chunk = writeData(data);
		for (let length = 0; length <= 12; length++) {
			expect(parseData({ ...chunk, body: chunk.body.subarray(0, length) })).toBeNull();
		}
	});
});

describe("SACK", () => {
	const sack = {
		cumulativeTsn: 9,
		window: 100,
		gaps: [
			{ first: 2, last: 3 },
			{ first: 5, last: 5 },
		],
	};

	it("is read as it was written, and by another implementation", async () => {
		const { body } = writeSack(sack);
		expect(parseSack(body)).toEqual(sack);
		const { SackChunk } = await import(CHUNKS);
		expect(new SackChunk(0, Buffer.from(body))).toMatchObject({
			...{ cumulativeTsn: 9, advertisedRwnd: 100 },
			gaps: [
				[2, 3],
				[5, 5],
			],
		});
	});

	it("is refused when it is cut off, and loses blocks that cover nothing", () => {
		expect(cuts(writeSack(sack).body, parseSack).every((cut) => cut === null)).toBe(true);
		const odd = {
			...sack,
			gaps: [
				{ first: 0, last: 4 },
				{ first: 7, last: 6 },
				{ first: 8, last: 8 },
			],
		};
		expect(parseSack(writeSack(odd).body)?.gaps).toEqual([{ first: 8, last: 8 }]);
	});
});

describe("FORWARD TSN and RE-CONFIG", () => {
	it("are read as another implementation writes them", async () => {
		const { ForwardTsnChunk } = await import(CHUNKS);
		const forward = new ForwardTsnChunk(0, undefined);
		forward.cumulativeTsn = 77;
		forward.streams = [
			[1, 2],
			[3, 4],
		];
		const body: Uint8Array = forward.body;
		expect(parseForwardTsn(body)).toEqual({
			cumulativeTsn: 77,
			streams: [
				{ stream: 1, ssn: 2 },
				{ stream: 3, ssn: 4 },
			],
		});
		expect(parseForwardTsn(body.subarray(0, 5))).toBeNull();

		const { OutgoingSSNResetRequestParam, ReconfigResponseParam } = await import(PARAMETERS);
		const request: Uint8Array = new OutgoingSSNResetRequestParam(5, 6, 7, [1, 3]).bytes;
		const reconfig = Uint8Array.of(0, 13, 0, 4 + request.length, ...request);
		expect(parseStreamResets(reconfig)).toEqual([{ request: 5, lastTsn: 7, streams: [1, 3] }]);
		for (const cut of cuts(reconfig, parseStreamResets)) expect(cut).toEqual([]);
		const answer = writeResetResponse(5, true, null).body;
		expect(ReconfigResponseParam.parse(Buffer.from(answer.subarray(4)))).toMatchObject({
			...{ responseSequence: 5, result: 1 },
		});
		const own = { request: 8, lastTsn: 9, streams: [1, 3, 5] };
		expect(parseStreamResets(writeResetResponse(5, true, own).body)).toEqual([own]);
	});
});
