import dgram from "node:dgram";
import { describe, expect, it } from "vitest";
import { InputError, ProtocolError } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { UdpPair } from "./client-udp.ts";

describe("a pair of UDP ports", () => {
	it("is an even port of the range and the one above, and receives on both", async () => {
		await using pair = await UdpPair.open([42_001, 42_200], false);
		expect(pair.rtpPort % 2).toBe(0);
		expect(pair.rtpPort).toBeGreaterThanOrEqual(42_002);
		const heard: string[] = [];
		pair.receive(
			(bytes, address) => void heard.push(`rtp ${Buffer.from(bytes).toString()} ${address}`),
			(bytes, address) => void heard.push(`rtcp ${Buffer.from(bytes).toString()} ${address}`),
		);
		await using other = await UdpPair.open([42_201, 42_400], false);
		other.sendRtp(Buffer.from("a"), "127.0.0.1", pair.rtpPort);
		other.sendRtcp(Buffer.from("b"), "127.0.0.1", pair.rtpPort + 1);
		await eventually("both packets", () => heard.length === 2);
		expect(heard.sort()).toEqual(["rtcp b 127.0.0.1", "rtp a 127.0.0.1"]);
	});

	it("takes another one when half of it is in use, and says so when none is left", async () => {
		const blocker = dgram.createSocket("udp4");
		await new Promise<void>((resolve) => blocker.bind(42_411, resolve));
		try {
			await using pair = await UdpPair.open([42_410, 42_413], false);
			expect(pair.rtpPort).toBe(42_412);
			await expect(UdpPair.open([42_410, 42_413], false)).rejects.toThrow(InputError);
			await expect(UdpPair.open([42_411, 42_412], false)).rejects.toThrow(/rtspUDPSourcePortRange/);
		} finally {
			await new Promise<void>((resolve) => blocker.close(() => resolve()));
		}
	});

	it("sends nothing after its end, and ends once", async () => {
		const pair = await UdpPair.open([42_420, 42_520], false);
		await Promise.all([pair[Symbol.asyncDispose](), pair[Symbol.asyncDispose]()]);
		expect(() => pair.sendRtp(new Uint8Array(1), "127.0.0.1", 9)).not.toThrow();
	});

	it("joins groups of multicast only", async () => {
		await expect(UdpPair.join("10.0.0.1", 42_600, "127.0.0.1")).rejects.toThrow(ProtocolError);
		await expect(UdpPair.join("239.1.2", 42_600, "127.0.0.1")).rejects.toThrow(ProtocolError);
		await expect(UdpPair.join("fe80::1", 42_600, "::1")).rejects.toThrow(ProtocolError);
		await using group = await UdpPair.join("239.255.77.3", 42_600, "127.0.0.1");
		expect(group.rtpPort).toBe(42_600);
		// Others of this machine may join as well.
		await using again = await UdpPair.join("239.255.77.3", 42_600, "127.0.0.1");
		expect(again.rtpPort).toBe(42_600);
	});

	it("hears its own group only, when another one has the same port", async () => {
		await using mine = await UdpPair.join("239.255.77.4", 42_610, "127.0.0.1");
		await using other = await UdpPair.join("239.255.77.5", 42_610, "127.0.0.1");
		const heard: string[] = [];
		const nothing = () => {};
		mine.receive((bytes) => void heard.push(`mine ${Buffer.from(bytes).toString()}`), nothing);
		other.receive((bytes) => void heard.push(`other ${Buffer.from(bytes).toString()}`), nothing);
		const sender = dgram.createSocket("udp4");
		await new Promise<void>((resolve) => sender.bind(0, "127.0.0.1", resolve));
		try {
			sender.setMulticastInterface("127.0.0.1");
			sender.send("to 4", 42_610, "239.255.77.4");
			sender.send("to 5", 42_610, "239.255.77.5");
			await eventually("both packets", () => heard.length >= 2);
			expect(heard.sort()).toEqual(["mine to 4", "other to 5"]);
		} finally {
			sender.close();
		}
	});
});
