import { describe, expect, it } from "vitest";
import { GoneError } from "#shared/problem.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { ReadableStreamOfPath } from "../../stream/publication.ts";
import type { UnitSink } from "../../stream/sink.ts";
import type { Track } from "../../stream/track.ts";
import type { Unit } from "../../stream/unit.ts";
import { KlvSink, readKlv } from "./klv-reader.ts";
import { SctpAssociation } from "./sctp-association.ts";
import type { SctpMessage } from "./sctp-inbound.ts";

const KLV = { index: 1, kind: "application", codec: { name: "KLV" }, clockRate: 90_000 } as Track;

function unit(track: number, ...frames: number[][]): Unit {
	const times = { pts: 0, dts: 0, wallclockMs: 0, randomAccess: true };
	return { ...times, track: { ...KLV, index: track }, frames: frames.map((frame) => Uint8Array.from(frame)) };
}

/** A viewer with an association of its own, of a stream that is made here. */
function world(maxMessageSize = 1000) {
	const clock = new FakeClock();
	const messages: SctpMessage[] = [];
	const warnings: string[] = [];
	const sinks: UnitSink[] = [];
	const log = {
		debug() {},
		info() {},
		error() {},
		warn: (...said: unknown[]) => void warnings.push(String(said[1])),
		child: () => log,
	};
	const stream = {
		path: "drone",
		readUnits(sink: UnitSink) {
			sinks.push(sink);
			return { [Symbol.dispose]: () => void sinks.splice(sinks.indexOf(sink), 1) };
		},
	} as unknown as ReadableStreamOfPath;
	const transport = {
		onData: (_: Uint8Array) => {},
		sendData: (packet: Uint8Array) => {
			clock.after(1, () => viewer.receive(packet));
			return true;
		},
	};
	const viewer: SctpAssociation = new SctpAssociation({
		...{ localPort: 5002, remotePort: 5000, clock },
		send: (packet) => void clock.after(1, () => transport.onData(packet)),
		onEstablished: () => {},
		onMessage: (message) => void messages.push(message),
		onReset: () => {},
		onEnded: () => {},
	});
	const data = { channel: { mid: "2", sctpPort: 5002, maxMessageSize }, track: KLV, role: "server" as const };
	const reader = readKlv({ stream, data, transport, clock, log });
	return { clock, messages, warnings, sinks, viewer, reader };
}

describe("KLV for a viewer", () => {
	it("goes over a channel named KLV, a unit a message, and other tracks do not", async () => {
		const { clock, messages, sinks, reader, warnings } = world();
		sinks[0]?.push(unit(1, [9, 9]));
		await clock.advance(100);
		sinks[0]?.push(unit(1, [1, 2, 3]));
		sinks[0]?.push(unit(0, [4, 4, 4]));
		sinks[0]?.push(unit(1, [5], [6, 7]));
		await clock.advance(100);
		const [open, ...units] = messages;
		expect(new TextDecoder().decode(open?.bytes.subarray(12))).toBe("KLV");
		expect(open).toMatchObject({ ppid: 50, stream: 1 });
		expect(units).toEqual([
			{ ppid: 53, stream: 1, bytes: Uint8Array.of(1, 2, 3) },
			{ ppid: 53, stream: 1, bytes: Uint8Array.of(5, 6, 7) },
		]);
		// What came before the viewer is not missed by it.
		expect(warnings).toEqual([]);
		reader[Symbol.dispose]();
	});

	it("leaves out what the viewer does not take, and says so once", async () => {
		const { clock, messages, sinks, reader, warnings } = world(2);
		await clock.advance(100);
		for (const length of [3, 2, 4]) sinks[0]?.push(unit(1, new Array(length).fill(length)));
		await clock.advance(100);
		expect(messages.slice(1).map(({ bytes }) => bytes)).toEqual([Uint8Array.of(2, 2)]);
		expect(warnings).toEqual(["A WebRTC reader misses KLV: it takes it too slowly, or in shorter messages"]);
		reader[Symbol.dispose]();
	});

	it("ends with the session: nothing is read, sent or waited for any more", async () => {
		const { clock, messages, sinks, viewer, reader } = world();
		await clock.advance(100);
		const [sink] = sinks;
		reader[Symbol.dispose]();
		expect(sinks).toEqual([]);
		sink?.push(unit(1, [1]));
		await clock.advance(100);
		expect([messages.length, viewer.isEstablished, clock.pending]).toEqual([1, false, 0]);
	});

	it("goes on being taken when the viewer has closed its channels, and is not missed then", async () => {
		const { clock, sinks, viewer, reader, warnings } = world();
		await clock.advance(100);
		viewer.close();
		await clock.advance(100);
		sinks[0]?.push(unit(1, [1]));
		expect([warnings, clock.pending]).toEqual([[], 0]);
		reader[Symbol.dispose]();
	});

	it("is not sent when a unit has nothing in it, and survives breaks and the end of the stream", () => {
		const sent: Uint8Array[] = [];
		const channel = { state: "opened" as const, send: (bytes: Uint8Array) => sent.push(bytes) > 0 };
		const sink = new KlvSink(KLV, channel, () => expect.unreachable());
		sink.begin([KLV]);
		sink.push(unit(1));
		sink.pause();
		sink.begin([KLV]);
		sink.push(unit(1, [1]));
		(sink as UnitSink).end(new GoneError("stream.ended", "The stream has ended"));
		expect(sent).toEqual([Uint8Array.of(1)]);
	});
});
