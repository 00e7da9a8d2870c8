import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { RtpHeader, SrtpSession } from "werift";
import { bytesOfHex } from "../../test/support/hex.ts";
import { masterSaltBytes, type SrtpMasterKey, type SrtpProfile } from "./profile.ts";
import { MAX_SOURCES } from "./source-table.ts";
import { SrtpContext } from "./srtp-context.ts";

const PROFILES: SrtpProfile[] = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM"];
const SSRC = 0xdecafbad;

function masterOf(profile: SrtpProfile): SrtpMasterKey {
	return { profile, key: randomBytes(16), salt: randomBytes(masterSaltBytes(profile)) };
}

function packetOf(sequence: number, payload: Uint8Array = randomBytes(50), ssrc = SSRC): Uint8Array {
	const packet = Buffer.alloc(12 + payload.length);
	packet.writeUInt16BE(0x8060, 0);
	packet.writeUInt16BE(sequence & 0xffff, 2);
	packet.writeUInt32BE(sequence * 3000, 4);
	packet.writeUInt32BE(ssrc, 8);
	packet.set(payload, 12);
	return new Uint8Array(packet);
}

function protect(context: SrtpContext, packet: Uint8Array): Uint8Array {
	const out = new Uint8Array(packet.length + context.overheadBytes);
	expect(context.protect(packet, 0, packet.length, out, 0)).toBe(out.length);
	return out;
}

/** The packet in clear, or null if it is refused. */
function unprotect(context: SrtpContext, packet: Uint8Array): Uint8Array | null {
	const out = new Uint8Array(packet.length);
	const length = context.unprotect(packet, 0, packet.length, out, 0);
	return length === -1 ? null : out.subarray(0, length);
}

describe("a packet of libsrtp's tests, which is protected byte for byte", () => {
	const master: SrtpMasterKey = {
		profile: "AES_CM_128_HMAC_SHA1_80",
		key: bytesOfHex("e1f97a0d3e018be0d64fa32c06de4139"),
		salt: bytesOfHex("0ec675ad498afeebb6960b3aabe6"),
	};
	const clear = bytesOfHex("800f1234decafbadcafebabeabababababababababababababababab");
	const sealed = bytesOfHex(`800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb`);

	it("is encrypted with a tag of 80 bits", () => {
		expect(protect(new SrtpContext(master), clear)).toEqual(sealed);
	});

	it("is decrypted", () => {
		expect(unprotect(new SrtpContext(master), sealed)).toEqual(clear);
	});
});

describe.each(PROFILES)("%s", (profile) => {
	it("gives back every packet over several wraps of the sequence, of any length", () => {
		const master = masterOf(profile);
		const [sender, receiver] = [new SrtpContext(master), new SrtpContext(master)];
		for (let i = 0; i < 1500; i++) {
			const packet = packetOf(i * 100, randomBytes(i % 80));
			expect(unprotect(receiver, protect(sender, packet))).toEqual(packet);
		}
		expect(sender.rolloverOf(SSRC)).toBe(2);
		expect(receiver.rolloverOf(SSRC)).toBe(2);
	});

	it("works in place, at any offset", () => {
		const master = masterOf(profile);
		const [sender, receiver] = [new SrtpContext(master), new SrtpContext(master)];
		for (let offset = 0; offset < 9; offset++) {
			const packet = packetOf(offset);
			const bytes = new Uint8Array(200);
			bytes.set(packet, offset);
			const length = sender.protect(bytes, offset, packet.length, bytes, 4);
			expect(receiver.unprotect(bytes, 4, length, bytes, 0)).toBe(packet.length);
			expect(bytes.subarray(0, packet.length)).toEqual(packet);
		}
	});

	it("leaves contributing sources and the header extension in clear", () => {
		const master = masterOf(profile);
		const packet = packetOf(1, new Uint8Array(60).fill(7));
		packet[0] = 0x92;
		packet.set(bytesOfHex("bede0002"), 20);
		const sealed = protect(new SrtpContext(master), packet);
		expect(sealed.subarray(0, 32)).toEqual(packet.subarray(0, 32));
		expect(sealed.subarray(32, packet.length)).not.toEqual(packet.subarray(32));
		expect(unprotect(new SrtpContext(master), sealed)).toEqual(packet);
	});

	it("takes packets out of order around a wrap, each once", () => {
		const master = masterOf(profile);
		const [sender, receiver] = [new SrtpContext(master), new SrtpContext(master)];
		const packets = Array.from({ length: 60 }, (_, i) => packetOf(65_500 + i));
		const sealed = packets.map((packet) => protect(sender, packet));
		const shuffled = [...sealed.keys()].map((i) => (i * 37) % 60);
		for (const i of shuffled) expect(unprotect(receiver, sealed[i]!)).toEqual(packets[i]);
		for (const i of shuffled) expect(unprotect(receiver, sealed[i]!)).toBeNull();
		expect(receiver.refusals).toMatchObject({ replayed: 60, unauthenticated: 0 });
	});

	it("refuses each truncation and each other bit, and writes nothing", () => {
		const master = masterOf(profile);
		const sealed = protect(new SrtpContext(master), packetOf(1));
		const receiver = new SrtpContext(master);
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
		const { malformed, unauthenticated, ...others } = receiver.refusals;
		expect(malformed + unauthenticated).toBe(sealed.length * 9);
		expect(others).toEqual({ replayed: 0, sources: 0, exhausted: 0 });
		expect(unprotect(receiver, sealed)).not.toBeNull();
	});

	it("carries a master key identifier, and asks for the right one", () => {
		const master = { ...masterOf(profile), mki: bytesOfHex("00000007") };
		const packet = packetOf(1);
		const sealed = protect(new SrtpContext(master), packet);
		expect(unprotect(new SrtpContext(master), sealed)).toEqual(packet);
		const other = new SrtpContext({ ...master, mki: bytesOfHex("00000008") });
		expect(unprotect(other, sealed)).toBeNull();
		expect(other.refusals.unauthenticated).toBe(1);
	});
});

describe("the roll-over counter", () => {
	const master = masterOf("AES_CM_128_HMAC_SHA1_80");

	it.each([4, 5, 6])("is found by a late reader that was told 5 where the sender is at %i", (actual) => {
		const sender = new SrtpContext(master);
		sender.setRollover(SSRC, actual);
		const packet = packetOf(40_000);
		const sealed = protect(sender, packet);

		const receiver = new SrtpContext(master);
		receiver.setRollover(SSRC, 5);
		expect(receiver.rolloverOf(SSRC)).toBe(5);
		expect(unprotect(receiver, sealed)).toEqual(packet);
		expect(receiver.rolloverOf(SSRC)).toBe(actual);
	});

	it("is 0 for a reader that was told nothing", () => {
		const sender = new SrtpContext(master);
		sender.setRollover(SSRC, 1);
		expect(unprotect(new SrtpContext(master), protect(sender, packetOf(1)))).toBeNull();
	});

	it("ends with the key when it has run out", () => {
		const sender = new SrtpContext(master);
		sender.setRollover(SSRC, 2 ** 32 - 1);
		const packet = packetOf(65_535);
		const receiver = new SrtpContext(master);
		receiver.setRollover(SSRC, 2 ** 32 - 1);
		expect(unprotect(receiver, protect(sender, packet))).toEqual(packet);
		expect(sender.protect(packetOf(0), 0, 62, new Uint8Array(100), 0)).toBe(-1);
		expect(sender.refusals.exhausted).toBe(1);
	});

	it("is not moved by packets of a stranger", () => {
		const [sender, receiver] = [new SrtpContext(master), new SrtpContext(master)];
		expect(unprotect(receiver, protect(sender, packetOf(1)))).not.toBeNull();
		const stranger = new SrtpContext(masterOf("AES_CM_128_HMAC_SHA1_80"));
		for (let sequence = 2; sequence < 65_536; sequence += 20_000)
			unprotect(receiver, protect(stranger, packetOf(sequence)));
		expect(unprotect(receiver, protect(sender, packetOf(2)))).not.toBeNull();
	});
});

describe("a context", () => {
	const master = masterOf("AES_CM_128_HMAC_SHA1_80");

	it("never protects two packets with one keystream", () => {
		const sender = new SrtpContext(master);
		protect(sender, packetOf(9));
		expect(sender.protect(packetOf(9), 0, 62, new Uint8Array(100), 0)).toBe(-1);
		expect(sender.refusals.replayed).toBe(1);
	});

	it("knows a bounded number of sources", () => {
		const [sender, receiver] = [new SrtpContext(master), new SrtpContext(master)];
		for (let ssrc = 0; ssrc < MAX_SOURCES; ssrc++) {
			expect(unprotect(receiver, protect(sender, packetOf(1, randomBytes(5), ssrc)))).not.toBeNull();
		}
		const one = packetOf(1, randomBytes(5), 1000);
		expect(sender.protect(one, 0, one.length, new Uint8Array(100), 0)).toBe(-1);
		expect(unprotect(receiver, protect(new SrtpContext(master), one))).toBeNull();
		expect(sender.refusals.sources).toBe(1);
		expect(receiver.refusals.sources).toBe(1);
		expect(() => receiver.setRollover(1000, 0)).toThrow(RangeError);
		expect(unprotect(receiver, protect(sender, packetOf(2, randomBytes(5), 0)))).not.toBeNull();
	});

	it("keeps the sources apart", () => {
		const [sender, receiver] = [new SrtpContext(master), new SrtpContext(master)];
		for (let i = 0; i < 700; i++) {
			const packet = packetOf(i * 300, randomBytes(40), i % 2);
			expect(unprotect(receiver, protect(sender, packet))).toEqual(packet);
		}
		expect(receiver.refusals.unauthenticated).toBe(0);
	});

	it("tells its owner when there is no room for the result", () => {
		const sender = new SrtpContext(master);
		const packet = packetOf(1);
		expect(() => sender.protect(packet, 0, packet.length, packet, 0)).toThrow(RangeError);
	});

	it("refuses keys of another size", () => {
		expect(() => new SrtpContext({ ...master, key: randomBytes(32) })).toThrow(RangeError);
		expect(() => new SrtpContext({ ...master, salt: randomBytes(12) })).toThrow(RangeError);
		expect(() => new SrtpContext({ ...master, mki: randomBytes(129) })).toThrow(RangeError);
	});
});

describe.each([
	["AES_CM_128_HMAC_SHA1_80", 1],
	["AEAD_AES_128_GCM", 7],
] as const)("werift and %s", (profile, number) => {
	const master = masterOf(profile);
	const [key, salt] = [Buffer.from(master.key), Buffer.from(master.salt)];
	const keys = { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt };

	it("understand each other over wraps of the sequence", () => {
		const werift = new SrtpSession({ keys, profile: number });
		const [sender, receiver] = [new SrtpContext(master), new SrtpContext(master)];
		for (let i = 0; i < 1500; i++) {
			const packet = packetOf(65_000 + i * 97, randomBytes(1 + ((i * 7) % 1300)));
			expect(new Uint8Array(werift.decrypt(Buffer.from(protect(sender, packet))))).toEqual(packet);
			const sealed = werift.encrypt(Buffer.from(packet.subarray(12)), RtpHeader.deSerialize(Buffer.from(packet)));
			expect(unprotect(receiver, new Uint8Array(sealed))).toEqual(packet);
		}
		expect(receiver.rolloverOf(SSRC)).toBe(3);
	});
});
