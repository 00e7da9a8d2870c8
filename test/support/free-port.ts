import dgram from "node:dgram";
import net from "node:net";

/** A TCP port of the loopback interface that nobody listens on now. */
export async function freePort(): Promise<number> {
	const server = net.createServer();
	await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as net.AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

export type UdpPair = { readonly rtp: number; readonly rtcp: number };

/** Pairs of UDP ports that are free, and differ from each other. */
export async function freeUdpPairs(count: number): Promise<UdpPair[]> {
	const pairs = new Map<number, UdpPair>();
	while (pairs.size < count) {
		const pair = await freeUdpPair();
		pairs.set(pair.rtp, pair);
	}
	return [...pairs.values()];
}

/** An even UDP port that is free together with the one above it: RTP and RTCP. */
export async function freeUdpPair(): Promise<UdpPair> {
	for (let attempt = 0; attempt < 100; attempt++) {
		const rtp = 20_000 + 2 * Math.floor(Math.random() * 10_000);
		if ((await isFreeUdp(rtp)) && (await isFreeUdp(rtp + 1))) return { rtp, rtcp: rtp + 1 };
	}
	throw new Error("Found no free pair of UDP ports in 100 attempts");
}

async function isFreeUdp(port: number): Promise<boolean> {
	const socket = dgram.createSocket("udp4");
	const free = await new Promise<boolean>((resolve) => {
		socket.once("error", () => resolve(false));
		socket.bind(port, "127.0.0.1", () => resolve(true));
	});
	await new Promise<void>((resolve) => socket.close(resolve));
	return free;
}
