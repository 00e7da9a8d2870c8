import dgram from "node:dgram";
import { networkInterfaces } from "node:os";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { Datagrams } from "../../test/support/driver-run.ts";
import { eventually } from "../../test/support/eventually.ts";
import { freeUdpPair } from "../../test/support/free-port.ts";
import { parseListenUrl } from "./listen-url.ts";
import { UdpListener } from "./udp.ts";

const log = pino({ level: "silent" });
const never = new AbortController().signal;

type Heard = { readonly text: string; readonly address: string; readonly port: number };

function open(url: string, heard: Heard[] = [], signal = never): Promise<UdpListener> {
	return UdpListener.open(
		{
			listen: parseListenUrl(url),
			readBufferBytes: 4096,
			log,
			onDatagram: (bytes, address, port) => void heard.push({ text: Buffer.from(bytes).toString(), address, port }),
			onFailed: () => {},
		},
		signal,
	);
}

const bytes = (text: string) => Buffer.from(text);

/** The name of the loopback interface. */
const LOOPBACK =
	Object.entries(networkInterfaces()).find(([, addresses]) =>
		addresses?.some(({ address }) => address === "127.0.0.1"),
	)?.[0] ?? "";

/** Whether this machine carries multicast on its loopback interface at all, told without what is tested. */
async function hasMulticast(): Promise<boolean> {
	const socket = dgram.createSocket({ type: "udp4", reuseAddr: true });
	try {
		const { rtp } = await freeUdpPair();
		await new Promise<void>((resolve, reject) => socket.once("error", reject).bind(rtp, resolve));
		socket.addMembership("239.255.66.1", "127.0.0.1");
		socket.setMulticastInterface("127.0.0.1");
		return await new Promise<boolean>((resolve) => {
			socket.once("message", () => resolve(true));
			socket.send("x", rtp, "239.255.66.1", (error) => error !== null && resolve(false));
			setTimeout(() => resolve(false), 1_000);
		});
	} catch {
		// The system says that it has none.
		return false;
	} finally {
		socket.close();
	}
}

describe("a socket that listens", () => {
	it("hears what is sent to its address, from anybody", async () => {
		const { rtp } = await freeUdpPair();
		const heard: Heard[] = [];
		await using listener = await open(`udp://127.0.0.1:${rtp}`, heard);
		await using sender = await Datagrams.open();
		await sender.send(bytes("a"), rtp);
		await eventually("the datagram", () => heard.length === 1);
		expect(heard).toEqual([{ text: "a", address: "127.0.0.1", port: sender.port }]);
		expect(listener.port).toBe(rtp);
	});

	it("hears nobody but the source of its URL", async () => {
		const { rtp } = await freeUdpPair();
		const heard: Heard[] = [];
		await using _listener = await open(`udp://0.0.0.0:${rtp}?source=127.0.0.2`, heard);
		await using stranger = await Datagrams.open("127.0.0.1");
		await using source = await Datagrams.open("127.0.0.2");
		await stranger.send(bytes("stranger"), rtp);
		await source.send(bytes("source"), rtp);
		await eventually("the datagram of the source", () => heard.length > 0);
		expect(heard.map(({ text }) => text)).toEqual(["source"]);
	});

	it("shows IPv4 as IPv4 on a socket of both families", async () => {
		const { rtp } = await freeUdpPair();
		const heard: Heard[] = [];
		await using _listener = await open(`udp://[::]:${rtp}?source=127.0.0.1`, heard);
		await using sender = await Datagrams.open();
		await sender.send(bytes("a"), rtp);
		await eventually("the datagram", () => heard.length === 1);
		expect(heard[0]?.address).toBe("127.0.0.1");
	});

	it("says that its port is in use, and gives its own back", async () => {
		const { rtp } = await freeUdpPair();
		const first = await open(`udp://127.0.0.1:${rtp}`);
		await expect(open(`udp://127.0.0.1:${rtp}`)).rejects.toMatchObject({ code: "listen.in_use" });
		await Promise.all([first[Symbol.asyncDispose](), first[Symbol.asyncDispose]()]);
		await using again = await open(`udp://127.0.0.1:${rtp}`);
		expect(again.port).toBe(rtp);
	});

	it("says that an address is not one of this machine", async () => {
		await expect(open("udp://192.0.2.1:5000")).rejects.toMatchObject({ code: "config.invalid" });
		await expect(open("udp://no-such-host.invalid:5000")).rejects.toMatchObject({ code: "config.invalid" });
		await expect(open("udp://239.255.66.2:5000?interface=nothing0")).rejects.toThrow(/nothing0/);
	});

	it("does not open once it is not wanted, and leaves the port free", async () => {
		const { rtp } = await freeUdpPair();
		await expect(open(`udp://127.0.0.1:${rtp}`, [], AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
		await using again = await open(`udp://127.0.0.1:${rtp}`);
		expect(again.port).toBe(rtp);
	});
});

describe.runIf(await hasMulticast())("a socket that joins a group", () => {
	it.each(["127.0.0.1", LOOPBACK])("hears what is sent to the group on the interface %s", async (name) => {
		const { rtp } = await freeUdpPair();
		const heard: Heard[] = [];
		await using _listener = await open(`udp://239.255.66.3:${rtp}?interface=${name}`, heard);
		// Others of this machine may join as well.
		await using _again = await open(`udp://239.255.66.3:${rtp}?interface=${name}`);
		await using sender = await Datagrams.open();
		await sender.send(bytes("group"), rtp, "239.255.66.3");
		await eventually("the datagram", () => heard.length === 1);
		expect(heard[0]?.text).toBe("group");
	});

	it("joins on all interfaces when none is named", async () => {
		const { rtp } = await freeUdpPair();
		const heard: Heard[] = [];
		await using _listener = await open(`udp://239.255.66.4:${rtp}`, heard);
		await using sender = await Datagrams.open();
		await sender.send(bytes("group"), rtp, "239.255.66.4");
		await eventually("the datagram", () => heard.length === 1);
	});

	it("joins for one source only", async () => {
		const { rtp } = await freeUdpPair();
		const heard: Heard[] = [];
		await using _listener = await open(`udp://232.1.66.5:${rtp}?interface=127.0.0.1&source=127.0.0.2`, heard);
		await using stranger = await Datagrams.open("127.0.0.1");
		await using source = await Datagrams.open("127.0.0.2");
		source.socket.setMulticastInterface("127.0.0.1");
		await stranger.send(bytes("stranger"), rtp, "232.1.66.5");
		await source.send(bytes("source"), rtp, "232.1.66.5");
		await eventually("the datagram of the source", () => heard.length > 0);
		expect(heard.map(({ text }) => text)).toEqual(["source"]);
	});
});
