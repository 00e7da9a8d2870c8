import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import type { SrtpProfile } from "../../srtp/profile.ts";
import {
	createCertificate,
	type DtlsCertificate,
	DtlsConnection,
	type DtlsLibrary,
	loadDtls,
	type SrtpKeys,
} from "./dtls-adapter.ts";
import { HandshakeType, writeHandshake } from "./dtls-handshake-inbox.ts";
import { DtlsContent, readRecords, writeRecord } from "./dtls-record.ts";

const BOTH: readonly SrtpProfile[] = ["AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"];

/** What the network does with a datagram: gives what arrives instead. */
type Network = (datagram: Uint8Array, from: "server" | "client") => readonly Uint8Array[];

type Side = {
	readonly dtls: DtlsConnection;
	keys: SrtpKeys | null | undefined;
	readonly data: number[][];
	readonly ends: (string | null)[];
	readonly sent: Uint8Array[];
};

let library: DtlsLibrary;
let ours: DtlsCertificate;
let theirs: DtlsCertificate;
const opened: DtlsConnection[] = [];

beforeAll(async () => {
	library = await loadDtls();
	[ours, theirs] = await Promise.all([createCertificate(library), createCertificate(library)]);
});
afterEach(() => {
	for (const dtls of opened.splice(0)) dtls.close();
});

type PairOptions = {
	readonly network?: Network;
	readonly server?: DtlsCertificate;
	readonly client?: DtlsCertificate;
	readonly serverProfiles?: readonly SrtpProfile[];
	readonly clientProfiles?: readonly SrtpProfile[];
};

function pair({ network = (datagram) => [datagram], server = ours, client = theirs, ...profiles }: PairOptions = {}) {
	const make = (role: "server" | "client", peer: () => DtlsConnection): Side => {
		const [certificate, other] = role === "server" ? [server, client] : [client, server];
		const side: Omit<Side, "dtls"> & { dtls?: DtlsConnection } = { keys: undefined, data: [], ends: [], sent: [] };
		const dtls = new DtlsConnection({
			...{ library, role, certificate, fingerprint: other.fingerprint },
			profiles: (role === "server" ? profiles.serverProfiles : profiles.clientProfiles) ?? BOTH,
			send: (datagram) => {
				side.sent.push(datagram);
				for (const one of network(datagram, role)) queueMicrotask(() => peer().receive(one));
			},
			onConnected: (keys) => {
				side.keys = keys;
			},
			onData: (bytes) => void side.data.push([...bytes]),
			onEnded: (failure) => void side.ends.push(failure),
		});
		opened.push(dtls);
		return Object.assign(side, { dtls });
	};
	const left: Side = make("server", () => right.dtls);
	const right: Side = make("client", () => left.dtls);
	right.dtls.start();
	return { server: left, client: right };
}

async function connected(sides: { server: Side; client: Side }, timeoutMs = 10_000) {
	const both = () => sides.server.keys !== undefined && sides.client.keys !== undefined;
	await eventually("both sides connected", both, { timeoutMs });
	return sides;
}

describe("DtlsConnection", () => {
	it.each<[SrtpProfile, SrtpProfile[], SrtpProfile[]]>([
		[
			"AEAD_AES_128_GCM",
			["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"],
			["AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"],
		],
		["AES_CM_128_HMAC_SHA1_80", ["AES_CM_128_HMAC_SHA1_80"], ["AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"]],
	])("agrees on keys for %s", async (profile, clientProfiles, serverProfiles) => {
		const { server, client } = await connected(pair({ clientProfiles, serverProfiles }));
		expect(server.keys?.local.profile).toBe(profile);
		expect(server.keys?.local).toEqual(client.keys?.remote);
		expect(server.keys?.remote).toEqual(client.keys?.local);
		expect(server.keys?.local.key).not.toEqual(server.keys?.remote.key);
		expect([server.dtls.send(Uint8Array.of(1)), client.dtls.send(Uint8Array.of(2))]).toEqual([true, true]);
		await eventually("data both ways", () => server.data.length === 1 && client.data.length === 1);
		expect([server.data, client.data]).toEqual([[[2]], [[1]]]);
	});

	it("connects where packets are lost, come twice and out of order", { timeout: 30_000 }, async () => {
		let count = 0;
		let held: Uint8Array | null = null;
		const network: Network = (datagram) => {
			count++;
			if (count % 7 === 2) return [];
			if (count % 3 === 0 && held === null) {
				held = datagram;
				return [];
			}
			const late = held === null ? [] : [held];
			held = null;
			return [datagram, ...late, datagram];
		};
		const { server, client } = await connected(pair({ network }), 25_000);
		expect(server.keys?.local).toEqual(client.keys?.remote);
		expect([server.ends, client.ends]).toEqual([[], []]);
	});

	it("sends its last flight again when it was lost", { timeout: 20_000 }, async () => {
		let lost = 0;
		const network: Network = (datagram, from) => {
			const isFinished = from === "server" && readRecords(datagram).some(({ epoch }) => epoch === 1);
			return isFinished && lost++ === 0 ? [] : [datagram];
		};
		await connected(pair({ network }), 15_000);
		expect(lost).toBeGreaterThan(1);
	});

	it.each(["server", "client"] as const)("refuses a %s that has the certificate but not its key", async (role) => {
		const thief = { ...(role === "server" ? ours : theirs), keyPem: (role === "server" ? theirs : ours).keyPem };
		const { server, client } = pair({ [role]: thief });
		const victim = role === "server" ? client : server;
		await eventually("the end", () => victim.ends.length === 1);
		expect(victim.ends).toEqual(["the peer does not have the key of its certificate"]);
		expect(victim.keys).toBeUndefined();
	});

	it("refuses another certificate than that of the fingerprint", async () => {
		const { server } = pair({ client: { ...ours, fingerprint: theirs.fingerprint } });
		await eventually("the end", () => server.ends.length === 1);
		expect(server.ends).toEqual(["the certificate of the peer is not the one of its fingerprint"]);
	});

	it("does not connect when somebody took the better profile out of the offer", async () => {
		let changed = 0;
		const network: Network = (datagram, from) => {
			const copy = Buffer.from(datagram);
			// use_srtp with two profiles, GCM first.
			const at = copy.indexOf(Buffer.from("000e00070004", "hex"));
			if (from === "client" && at !== -1) {
				changed++;
				copy.writeUInt16BE(1, at + 6);
			}
			return [copy];
		};
		const { server, client } = pair({ network });
		await eventually("a handshake up to its end", () =>
			client.sent.some((one) => readRecords(one).at(-1)?.epoch === 1),
		);
		await new Promise((resolve) => setImmediate(resolve));
		expect(changed).toBeGreaterThan(0);
		expect([server.keys, client.keys]).toEqual([undefined, undefined]);
	});

	it("says goodbye, and ends on the goodbye of the peer alone", async () => {
		const { server, client } = await connected(pair());
		// An alert in clear can be of anybody.
		server.dtls.receive(Uint8Array.of(21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 90, 0, 2, 1, 0));
		server.dtls.receive(Uint8Array.of(21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 90, 0, 26, ...new Uint8Array(26)));
		expect(server.ends).toEqual([]);
		client.dtls.close();
		await eventually("the end", () => server.ends.length === 1);
		expect([server.ends, client.ends]).toEqual([[null], []]);
		expect([server.dtls.send(Uint8Array.of(1)), client.dtls.send(Uint8Array.of(1))]).toEqual([false, false]);
	});

	it("takes a record once, and its handshake only once", async () => {
		const { server, client } = await connected(pair());
		const handshake = client.sent.slice();
		client.dtls.send(Uint8Array.of(7));
		const record = client.sent.at(-1) ?? new Uint8Array(0);
		await eventually("data", () => server.data.length === 1);
		server.dtls.receive(record);
		for (const datagram of handshake) server.dtls.receive(datagram);
		client.dtls.send(Uint8Array.of(8));
		await eventually("more data", () => server.data.length === 2);
		expect(server.data).toEqual([[7], [8]]);
	});

	it.each(["server", "client"] as const)(
		"of a handshake in clear believes nothing once it has ended, as %s",
		async (role) => {
			const sides = await connected(pair());
			for (const type of [HandshakeType.certificate, HandshakeType.clientHello, HandshakeType.finished]) {
				for (let number = 0; number < 16; number++) {
					const message = writeHandshake({ type, number, body: new Uint8Array(50) });
					sides[role].dtls.receive(writeRecord(DtlsContent.handshake, 0, number, message));
				}
			}
			expect(sides[role].ends).toEqual([]);
			sides[role === "server" ? "client" : "server"].dtls.send(Uint8Array.of(1));
			await eventually("data", () => sides[role].data.length === 1);
		},
	);

	it("never numbers two of its records alike", async () => {
		const { server, client } = await connected(pair());
		for (let count = 0; count < 20; count++) for (const side of [server, client]) side.dtls.send(Uint8Array.of(count));
		for (const { sent } of [server, client]) {
			const sealed = sent.flatMap(readRecords).filter(({ epoch }) => epoch === 1);
			expect(sealed.length).toBeGreaterThan(20);
			expect(new Set(sealed.map(({ sequence }) => sequence)).size).toBe(sealed.length);
		}
	});

	it("says what went wrong when the peer has no profile that fits", async () => {
		const { server } = pair({ serverProfiles: ["AEAD_AES_128_GCM"], clientProfiles: ["AES_CM_128_HMAC_SHA1_80"] });
		await eventually("trouble", () => server.dtls.trouble !== null);
		expect(server.keys).toBeUndefined();
	});
});
