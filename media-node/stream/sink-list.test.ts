import { describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { recordingLogger } from "../../test/support/rtp-stream.ts";
import { SinkList } from "./sink-list.ts";

type Fake = { name: string; end(reason: Error): void };

function listOf(...names: string[]) {
	const log = recordingLogger();
	const list = new SinkList<Fake>(log);
	const ended: string[] = [];
	const seats = new Map(names.map((name) => [name, list.add({ name, end: () => ended.push(name) })]));
	const round = (during: (name: string) => void = () => undefined) => {
		const heard: string[] = [];
		list.each((sink) => {
			heard.push(sink.name);
			during(sink.name);
		}, undefined);
		return heard;
	};
	return { list, log, ended, seats, round };
}

describe("a list of sinks", () => {
	it("serves each in the order in which they came", () => {
		expect(listOf("a", "b", "c").round()).toEqual(["a", "b", "c"]);
	});

	it("takes a sink out that disposes its seat, without ending it, in mid-round as well", () => {
		const { seats, round, ended, list } = listOf("a", "b", "c");
		expect(round((name) => name === "a" && seats.get("b")?.[Symbol.dispose]())).toEqual(["a", "c"]);
		seats.get("b")?.[Symbol.dispose]();
		expect(list.size).toBe(2);
		expect(ended).toEqual([]);
	});

	it("serves one that comes in mid-round from the next round on", () => {
		const { list, round } = listOf("a");
		expect(round(() => list.size === 1 && list.add({ name: "b", end: () => undefined }))).toEqual(["a"]);
		expect(round()).toEqual(["a", "b"]);
	});

	it("throws out one that throws, ends it, logs it, and serves the rest", () => {
		const { round, ended, log } = listOf("a", "b", "c");
		const fail = (name: string) => {
			if (name === "b") throw new Error("broken");
		};
		expect(round(fail)).toEqual(["a", "b", "c"]);
		expect(round(fail)).toEqual(["a", "c"]);
		expect(ended).toEqual(["b"]);
		expect(log.lines.map(({ level }) => level)).toEqual(["error"]);
	});

	it("throws out one that throws when it is called alone, and calls none that has left", () => {
		const { list, ended, seats, log } = listOf("a");
		const sink = { name: "b", end: () => ended.push("b") };
		const called: string[] = [];
		seats.set("b", list.add(sink));
		const fail = ({ name }: { name: string }) => {
			called.push(name);
			throw new Error("broken");
		};
		list.only(sink, fail);
		list.only(sink, fail);
		expect({ called, ended, size: list.size, lines: log.lines.length }).toEqual({
			called: ["b"],
			ended: ["b"],
			size: 1,
			lines: 1,
		});
	});

	it("ends all once, also when one fails while it is ended", () => {
		const { list, ended, log } = listOf("a", "b");
		list.add({
			name: "c",
			end: () => {
				throw new Error("broken");
			},
		});
		list.add({ name: "d", end: () => ended.push("d") });
		list.end(new GoneError("stream.ended", "over"));
		list.end(new GoneError("stream.ended", "over"));
		expect(ended).toEqual(["a", "b", "d"]);
		expect(list.size).toBe(0);
		expect(log.lines).toHaveLength(1);
	});

	it("does not end a sink that another one's end takes out", () => {
		const { list, ended, seats } = listOf();
		list.add({ name: "a", end: () => seats.get("b")?.[Symbol.dispose]() });
		seats.set("b", list.add({ name: "b", end: () => ended.push("b") }));
		list.end(new GoneError("stream.ended", "over"));
		expect(ended).toEqual([]);
	});
});
