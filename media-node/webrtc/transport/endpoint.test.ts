import { describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { connectPeer } from "../../../test/support/webrtc-peer.ts";
import { type EndpointOptions, WebRtcEndpoint } from "./endpoint.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

function options(changes: Partial<EndpointOptions> = {}): EndpointOptions {
	return {
		udp: { host: "127.0.0.1", port: 0, key: "webrtcLocalUDPAddress" },
		tcp: null,
		readBufferBytes: 0,
		hosts: { fromInterfaces: true, interfaces: [], additionalHosts: [] },
		handshakeTimeoutMs: 10_000,
		clock: new FakeClock(),
		log: silent,
		...changes,
	};
}

describe("WebRtcEndpoint", () => {
	it("serves peers of IPv4 on a socket that is bound to every address", async () => {
		await using endpoint = await WebRtcEndpoint.open(
			options({
				udp: { host: "", port: 0, key: "webrtcLocalUDPAddress" },
				hosts: { fromInterfaces: false, interfaces: [], additionalHosts: ["127.0.0.1"] },
			}),
		);
		const transport = endpoint.createTransport();
		await using peer = await connectPeer(transport, { setup: "active" });
		await Promise.all([transport.connected, peer.connected]);
		expect(transport.stats.selected?.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
	});

	it("tells the ports of both sockets", async () => {
		const tcp = { host: "127.0.0.1", port: 0, key: "webrtcLocalTCPAddress" };
		await using endpoint = await WebRtcEndpoint.open(options({ tcp }));
		const { candidates, setup, fingerprint } = endpoint.createTransport().local;
		expect(candidates.map((line) => line.split(" ").slice(2).toSpliced(1, 1).join(" "))).toEqual([
			`udp 127.0.0.1 ${endpoint.udpPort} typ host`,
			`tcp 127.0.0.1 ${endpoint.tcpPort} typ host tcptype passive`,
		]);
		expect([setup, fingerprint.algorithm]).toEqual(["actpass", "sha-256"]);
	});

	it.each(["udp", "tcp"] as const)(
		"says which setting has a port of %s that is in use, and leaves none open",
		async (kind) => {
			const tcp = { host: "127.0.0.1", port: 0, key: "webrtcLocalTCPAddress" };
			await using endpoint = await WebRtcEndpoint.open(options({ tcp }));
			const [udpPort, tcpPort] = [endpoint.udpPort ?? 0, endpoint.tcpPort ?? 0];
			const sockets = () => process.getActiveResourcesInfo().filter((name) => /UDP|TCPServer/.test(name)).length;
			const before = sockets();
			const again = WebRtcEndpoint.open(
				options({
					udp: { host: "127.0.0.1", port: kind === "udp" ? udpPort : 0, key: "webrtcLocalUDPAddress" },
					tcp: { ...tcp, port: tcpPort },
				}),
			);
			const key = kind === "udp" ? "webrtcLocalUDPAddress" : "webrtcLocalTCPAddress";
			await expect(again).rejects.toMatchObject({ code: "listen.in_use", data: { key } });
			await eventually("no more sockets", () => sockets() === before);
		},
	);

	it("ends every transport with itself, and makes no more", async () => {
		const clock = new FakeClock();
		const endpoint = await WebRtcEndpoint.open(options({ clock }));
		const transports = [endpoint.createTransport(), endpoint.createTransport()];
		expect(endpoint.size).toBe(2);
		await endpoint[Symbol.asyncDispose]();
		await endpoint[Symbol.asyncDispose]();
		for (const { state, connected } of transports) {
			expect(state).toBe("closed");
			await expect(connected).rejects.toMatchObject({ code: "session.closed" });
		}
		expect([clock.pending, endpoint.size]).toEqual([0, 0]);
		expect(() => endpoint.createTransport()).toThrow("was closed");
	});

	it("refuses a peer whose fingerprint proves nothing, or that changes its certificate", async () => {
		await using endpoint = await WebRtcEndpoint.open(options());
		const transport = endpoint.createTransport();
		const remote = { ufrag: "them", pwd: "x".repeat(22), setup: "active" as const };
		const sha1 = { algorithm: "sha-1", value: Array(20).fill("AB").join(":") };
		expect(() => transport.setRemote({ ...remote, fingerprint: sha1 })).toThrow("no fingerprint of SHA-256");
		const value = Array(32).fill("AB").join(":");
		transport.setRemote({ ...remote, fingerprint: { algorithm: "sha-256", value } });
		transport.setRemote({ ...remote, fingerprint: { algorithm: "sha-256", value: value.toLowerCase() } });
		const other = { algorithm: "sha-256", value: value.replace("AB", "CD") };
		expect(() => transport.setRemote({ ...remote, fingerprint: other })).toThrow("changed its certificate");
	});
});
