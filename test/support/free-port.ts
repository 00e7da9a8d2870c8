import dgram from "node:dgram";
import net from "node:net";

// Below the ports that Linux gives to whoever asks for any (ip_local_port_range, from 32768 on): one of those may be
// taken by a connection of another program between our looking and the server's listening.
const FIRST = 10_000;
const SLICES = 8;
const SLICE_SIZE = 2_800;

/** Each worker of the test run has a slice of its own, so that files that run side by side never choose the same. */
const slice = FIRST + (Number(process.env["VITEST_POOL_ID"] ?? 0) % SLICES) * SLICE_SIZE;
let next = Math.floor(Math.random() * SLICE_SIZE);

/** A TCP port of the loopback interface that nobody listens on now. */
export async function freePort(): Promise<number> {
	for (let attempt = 0; attempt < 100; attempt++) {
		const port = take(1);
		if (await isFreeTcp(port)) return port;
	}
	throw new Error("Found no free TCP port in 100 attempts");
}

export type UdpPair = { readonly rtp: number; readonly rtcp: number };

/** Pairs of UDP ports that are free, and differ from each other. */
export async function freeUdpPairs(count: number): Promise<UdpPair[]> {
	const pairs: UdpPair[] = [];
	while (pairs.length < count) pairs.push(await freeUdpPair());
	return pairs;
}

/** An even UDP port that is free together with the one above it: RTP and RTCP. */
export async function freeUdpPair(): Promise<UdpPair> {
	for (let attempt = 0; attempt < 100; attempt++) {
		const rtp = take(2);
		if ((await isFreeUdp(rtp)) && (await isFreeUdp(rtp + 1))) return { rtp, rtcp: rtp + 1 };
	}
	throw new Error("Found no free pair of UDP ports in 100 attempts");
}

/** The first of the next `count` ports, a multiple of `count`: none of them comes again before the slice is used up. */
function take(count: 1 | 2): number {
	const offset = Math.ceil(next / count) * count;
	next = (offset + count) % SLICE_SIZE;
	return slice + (offset % SLICE_SIZE);
}

async function isFreeTcp(port: number): Promise<boolean> {
	const server = net.createServer();
	const free = await new Promise<boolean>((resolve) => {
		server.once("error", () => resolve(false));
		server.listen(port, "127.0.0.1", () => resolve(true));
	});
	if (free) await new Promise((resolve) => server.close(resolve));
	return free;
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
