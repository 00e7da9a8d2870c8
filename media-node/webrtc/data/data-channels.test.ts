import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { bytesOfHex } from "../../../test/support/hex.ts";
import { DataChannels, isOpen, writeOpen } from "./data-channels.ts";
import { SctpAssociation } from "./sctp-association.ts";
import type { SctpMessage } from "./sctp-inbound.ts";

const OPEN_KLV = bytesOfHex("03 80 0000 00000000 0003 0000 4b4c56");

/** Channels with a bare association at the other end. */
function world(maxMessageBytes = 1000, role: "client" | "server" = "server") {
	const clock = new FakeClock();
	const messages: SctpMessage[] = [];
	const unordered: boolean[] = [];
	const ends: (string | null)[] = [];
	const peer: SctpAssociation = new SctpAssociation({
		...{ localPort: 5001, remotePort: 5000, clock },
		send: (packet) => void clock.after(1, () => channels.receive(packet)),
		onEstablished: () => {},
		onMessage: (message) => void messages.push(message),
		onReset: () => {},
		onEnded: () => {},
	});
	const channels: DataChannels = new DataChannels({
		...{ role, localPort: 5000, remotePort: 5001, maxMessageBytes, clock },
		send: (packet) => {
			// The first chunk, when it is of data: its flag U.
			if (packet[12] === 0) unordered.push(((packet[13] as number) & 4) !== 0);
			clock.after(1, () => peer.receive(packet));
		},
		onEnded: (failure) => void ends.push(failure),
	});
	const control = (stream: number, bytes: Uint8Array) => peer.send({ stream, ppid: 50, unordered: false, bytes });
	return { clock, peer, channels, messages, unordered, ends, control };
}

describe("data channels", () => {
	it("are opened by the message of RFC 8832 §5.1", () => {
		expect(writeOpen("KLV", false)).toEqual(OPEN_KLV);
		expect(writeOpen("KLV", true)[1]).toBe(0);
		expect(isOpen(OPEN_KLV)).toBe(true);
		for (let length = 0; length < OPEN_KLV.length; length++) expect(isOpen(OPEN_KLV.subarray(0, length))).toBe(false);
	});

	it("open on odd streams of a server of DTLS, and on even ones of a client", async () => {
		for (const [role, first, second] of [
			["server", 1, 3],
			["client", 0, 2],
		] as const) {
			const { clock, channels, messages, peer } = world(1000, role);
			const [one, two] = [channels.open("KLV", { isOrdered: false }), channels.open("x", { isOrdered: true })];
			expect([one.state, one.send(Uint8Array.of(1))]).toEqual(["new", false]);
			channels.start();
			await clock.advance(100);
			expect(messages.map(({ stream, ppid }) => [stream, ppid])).toEqual([
				[first, 50],
				[second, 50],
			]);
			expect(messages[0]?.bytes).toEqual(OPEN_KLV);
			expect([one.state, two.state]).toEqual(["opened", "opened"]);
			channels.close();
			peer.close();
		}
	});

	it("keep messages in order until the peer has acknowledged the channel, RFC 8832 §6", async () => {
		const { clock, channels, messages, unordered, control } = world();
		const channel = channels.open("KLV", { isOrdered: false });
		channels.start();
		await clock.advance(100);
		channel.send(Uint8Array.of(1));
		await clock.advance(100);
		control(1, Uint8Array.of(2));
		await clock.advance(100);
		expect(channel.state).toBe("acknowledged");
		channel.send(Uint8Array.of(2));
		await clock.advance(100);
		expect(unordered).toEqual([false, false, true]);
		expect(messages.slice(1)).toEqual([
			{ stream: 1, ppid: 53, bytes: Uint8Array.of(1) },
			{ stream: 1, ppid: 53, bytes: Uint8Array.of(2) },
		]);
		channels.close();
	});

	it("send an empty message as one byte, RFC 8831 §6.6, and none that is too long", async () => {
		const { clock, channels, messages } = world(4);
		const channel = channels.open("KLV", { isOrdered: true });
		channels.start();
		await clock.advance(100);
		expect(channel.send(new Uint8Array(5))).toBe(false);
		expect(channel.send(new Uint8Array(0))).toBe(true);
		await clock.advance(100);
		expect(messages.slice(1)).toEqual([{ stream: 1, ppid: 57, bytes: Uint8Array.of(0) }]);
		channels.close();
	});

	it("of the peer are acknowledged, and what comes on them goes nowhere", async () => {
		const { clock, channels, messages, peer, control } = world();
		channels.open("KLV", { isOrdered: false });
		peer.start();
		await clock.advance(100);
		control(0, OPEN_KLV);
		// Not a channel: its lengths are wrong. And one on a stream of ours.
		control(2, OPEN_KLV.subarray(0, 5));
		control(1, OPEN_KLV);
		peer.send({ stream: 0, ppid: 51, unordered: false, bytes: Uint8Array.of(65) });
		await clock.advance(100);
		expect(messages.slice(1)).toEqual([{ stream: 0, ppid: 50, bytes: Uint8Array.of(2) }]);
		channels.close();
	});

	it("are closed with the association", async () => {
		const { clock, channels, peer, ends } = world();
		const channel = channels.open("KLV", { isOrdered: false });
		channels.start();
		await clock.advance(100);
		peer.close();
		await clock.advance(100);
		expect([channel.state, channel.send(Uint8Array.of(1))]).toEqual(["closed", false]);
		expect(ends).toEqual([null]);
		channels.close();
		expect([ends.length, clock.pending]).toEqual([1, 0]);
	});
});
