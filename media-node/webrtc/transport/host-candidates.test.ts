import { describe, expect, it } from "vitest";
import { type HostPort, hostAddresses, hostCandidates } from "./host-candidates.ts";

const more = { netmask: "", mac: "", cidr: null };
const v4 = (address: string, internal = false) => ({ ...more, family: "IPv4" as const, address, internal });
const v6 = (address: string, internal = false) => ({ ...more, family: "IPv6" as const, address, internal, scopeid: 0 });
const INTERFACES = {
	lo: [v4("127.0.0.1", true), v6("::1", true)],
	eth0: [v4("192.0.2.5"), v6("2001:db8::5"), v6("fe80::5")],
	wlan0: [v4("198.51.100.6")],
};
const ALL = { fromInterfaces: true, interfaces: [], additionalHosts: [] };
const ANY: HostPort = { transport: "udp", host: "", port: 8189, isV6: true };

describe("hostAddresses", () => {
	it("tells every address, those inside the machine last and those of one link never", () => {
		expect(hostAddresses(ALL, ANY, INTERFACES)).toEqual([
			...["192.0.2.5", "2001:db8::5", "198.51.100.6", "127.0.0.1", "::1"],
		]);
	});

	it("tells those of the named interfaces only", () => {
		expect(hostAddresses({ ...ALL, interfaces: ["wlan0", "none"] }, ANY, INTERFACES)).toEqual(["198.51.100.6"]);
	});

	it("tells no address that the socket does not have", () => {
		expect(hostAddresses(ALL, { ...ANY, host: "192.0.2.5", isV6: false }, INTERFACES)).toEqual(["192.0.2.5"]);
		const addresses = ["192.0.2.5", "198.51.100.6", "127.0.0.1"];
		expect(hostAddresses(ALL, { ...ANY, host: "0.0.0.0", isV6: false }, INTERFACES)).toEqual(addresses);
	});

	it("tells additional hosts first, once each, and alone where interfaces are not told", () => {
		const additionalHosts = ["media.example.com", "192.0.2.5"];
		expect(hostAddresses({ ...ALL, additionalHosts, interfaces: ["eth0"] }, ANY, INTERFACES)).toEqual([
			...["media.example.com", "192.0.2.5", "2001:db8::5"],
		]);
		const alone = { fromInterfaces: false, interfaces: [], additionalHosts };
		expect(hostAddresses(alone, ANY, INTERFACES)).toEqual(additionalHosts);
	});
});

describe("hostCandidates", () => {
	it("writes lines of SDP, UDP before TCP and the first address before the others", () => {
		const ports: HostPort[] = [
			{ transport: "tcp", host: "", port: 8190, isV6: false },
			{ transport: "udp", host: "", port: 8189, isV6: false },
		];
		const lines = hostCandidates({ ...ALL, interfaces: ["eth0", "wlan0"] }, ports, INTERFACES);
		expect(lines).toEqual([
			"candidate:tcp40 1 tcp 1519386623 192.0.2.5 8190 typ host tcptype passive",
			"candidate:tcp41 1 tcp 1519386367 198.51.100.6 8190 typ host tcptype passive",
			"candidate:udp40 1 udp 2130706431 192.0.2.5 8189 typ host",
			"candidate:udp41 1 udp 2130706175 198.51.100.6 8189 typ host",
		]);
	});
});
