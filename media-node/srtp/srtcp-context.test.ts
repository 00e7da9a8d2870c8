import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SrtcpSession } from "werift";
import { bytesOfHex } from "../../test/support/hex.ts";
import { masterSaltBytes, type SrtpMasterKey, type SrtpProfile } from "./profile.ts";
import { MAX_SOURCES } from "./source-table.ts";
import { SrtcpContext } from "./srtcp-context.ts";

const PROFILES: SrtpProfile[] = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM"];

function masterOf(profile: SrtpProfile): SrtpMasterKey {
	return { profile, key: randomBytes(16), salt: randomBytes(masterSaltBytes(profile)) };
}

/** A sender report. RFC 3550 §6.4.1. */
function reportOf(ssrc = 0xcafebabe): Uint8Array {
	const report = Buffer.alloc(28, randomBytes(28));
	report.writeUInt32BE(0x80c80006, 0);
	report.writeUInt32BE(ssrc, 4);
	return new Uint8Array(report);
}

function protect(context: SrtcpContext, packet: Uint8Array): Uint8Array {
	const out = new Uint8Array(packet.length + context.overheadBytes);
	expect(context.protect(packet, 0, packet.length, out, 0)).toBe(out.length);
	return out;
}

/** The packet in clear, or null if it is refused. */
function unprotect(context: SrtcpContext, packet: Uint8Array): Uint8Array | null {
	const out = new Uint8Array(packet.length);
	const length = context.unprotect(packet, 0, packet.length, out, 0);
	return length === -1 ? null : out.subarray(0, length);
}

describe("a report of libsrtp's tests, which is protected byte for byte", () => {
	const master: SrtpMasterKey = {
		profile: "AES_CM_128_HMAC_SHA1_80",
		key: bytesOfHex("e1f97a0d3e018be0d64fa32c06de4139"),
		salt: bytesOfHex("0ec675ad498afeebb6960b3aabe6"),
	};
	const clear = bytesOfHex("81c8000bcafebabeabababababababababababababababab");
	const sealed = bytesOfHex(`81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798`);

	it("is decrypted", () => {
		expect(unprotect(new SrtcpContext(master), sealed)).toEqual(clear);
	});

	it("is encrypted as the second of its source", () => {
		const sender = new SrtcpContext(master);
		protect(sender, clear);
		expect(protect(sender, clear)).toEqual(sealed);
	});
});

describe.each(PROFILES)("%s", (profile) => {
	const trailing = profile === "AEAD_AES_128_GCM" ? 4 : 14;

	it("gives back every packet, and counts them from 0 with the E bit set", () => {
		const master = masterOf(profile);
		const [sender, receiver] = [new SrtcpContext(master), new SrtcpContext(master)];
		for (let i = 0; i < 300; i++) {
			const report = reportOf();
			const sealed = protect(sender, report);
			expect(Buffer.from(sealed).readUInt32BE(sealed.length - trailing)).toBe(0x80000000 + i);
			expect(sealed.subarray(8, 28)).not.toEqual(report.subarray(8));
			expect(unprotect(receiver, sealed)).toEqual(report);
		}
	});

	it("only authenticates where encryption is off", () => {
		const master = masterOf(profile);
		const sender = new SrtcpContext(master, { encrypts: false });
		const report = reportOf();
		const sealed = protect(sender, report);
		expect(sealed.subarray(0, 28)).toEqual(report);
		expect(Buffer.from(sealed).readUInt32BE(sealed.length - trailing)).toBe(0);
		expect(unprotect(new SrtcpContext(master), sealed)).toEqual(report);
		sealed[20]! ^= 1;
		expect(unprotect(new SrtcpContext(master), sealed)).toBeNull();
	});

	it("takes each packet once, in any order", () => {
		const master = masterOf(profile);
		const [sender, receiver] = [new SrtcpContext(master), new SrtcpContext(master)];
		const sealed = Array.from({ length: 20 }, () => protect(sender, reportOf()));
		for (const packet of sealed.toReversed()) expect(unprotect(receiver, packet)).not.toBeNull();
		for (const packet of sealed) expect(unprotect(receiver, packet)).toBeNull();
		expect(receiver.refusals.replayed).toBe(20);
	});

	it("works in place", () => {
		const master = masterOf(profile);
		const report = reportOf();
		const bytes = new Uint8Array(100);
		bytes.set(report, 3);
		const length = new SrtcpContext(master).protect(bytes, 3, report.length, bytes, 3);
		expect(new SrtcpContext(master).unprotect(bytes, 3, length, bytes, 3)).toBe(report.length);
		expect(bytes.subarray(3, 31)).toEqual(report);
	});

	it("refuses each truncation and each other bit, and writes nothing", () => {
		const master = masterOf(profile);
		const sealed = protect(new SrtcpContext(master), reportOf());
		const receiver = new SrtcpContext(master);
		for (let length = 0; length < sealed.length; length++) {
			expect(unprotect(receiver, sealed.slice(0, length))).toBeNull();
		}
		for (let bit = 0; bit < sealed.length * 8; bit++) {
			const bytes = sealed.slice();
			bytes[bit >> 3]! ^= 1 << (bit & 7);
			const out = new Uint8Array(bytes.length);
			expect(receiver.unprotect(bytes, 0, bytes.length, out, 0)).toBe(-1);
			expect(out.every((byte) => byte === 0)).toBe(true);
		}
		expect(unprotect(receiver, sealed)).not.toBeNull();
	});

	it("carries a master key identifier, and asks for the right one", () => {
		const master = { ...masterOf(profile), mki: bytesOfHex("0102") };
		const report = reportOf();
		const sealed = protect(new SrtcpContext(master), report);
		expect(unprotect(new SrtcpContext(master), sealed)).toEqual(report);
		expect(unprotect(new SrtcpContext({ ...master, mki: bytesOfHex("0103") }), sealed)).toBeNull();
	});
});

describe("a context", () => {
	it("knows a bounded number of sources", () => {
		const master = masterOf("AES_CM_128_HMAC_SHA1_80");
		const [sender, receiver] = [new SrtcpContext(master), new SrtcpContext(master)];
		for (let ssrc = 0; ssrc < MAX_SOURCES; ssrc++) unprotect(receiver, protect(sender, reportOf(ssrc)));
		expect(sender.protect(reportOf(1000), 0, 28, new Uint8Array(100), 0)).toBe(-1);
		expect(unprotect(receiver, protect(new SrtcpContext(master), reportOf(1000)))).toBeNull();
		expect(sender.refusals.sources + receiver.refusals.sources).toBe(2);
	});

	it("tells its owner when there is no room for the result", () => {
		const sender = new SrtcpContext(masterOf("AES_CM_128_HMAC_SHA1_80"));
		expect(() => sender.protect(reportOf(), 0, 28, new Uint8Array(30), 0)).toThrow(RangeError);
	});
});

describe.each([
	["AES_CM_128_HMAC_SHA1_80", 1],
	["AEAD_AES_128_GCM", 7],
] as const)("werift and %s", (profile, number) => {
	const master = masterOf(profile);
	const [key, salt] = [Buffer.from(master.key), Buffer.from(master.salt)];
	const keys = { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt };

	it("understand each other", () => {
		const werift = new SrtcpSession({ keys, profile: number });
		const [sender, receiver] = [new SrtcpContext(master), new SrtcpContext(master)];
		for (let i = 0; i < 300; i++) {
			const report = reportOf();
			expect(new Uint8Array(werift.decrypt(Buffer.from(protect(sender, report))))).toEqual(report);
			expect(unprotect(receiver, new Uint8Array(werift.encrypt(Buffer.from(report))))).toEqual(report);
		}
	});
});
