import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "#shared/problem.ts";
import { MAX_MIKEY_SOURCES, parseMikey, writeMikey } from "../../media-node/srtp/mikey.ts";
import { keysOf, mikeyFor } from "../../media-node/srtp/mikey-keys.ts";
import { masterSaltBytes, type SrtpMasterKey, type SrtpProfile } from "../../media-node/srtp/profile.ts";
import { SrtcpContext } from "../../media-node/srtp/srtcp-context.ts";
import { SrtpContext } from "../../media-node/srtp/srtp-context.ts";
import { bytesOfHex } from "../support/hex.ts";
import { mutated } from "../support/mutate.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const PROFILES: SrtpProfile[] = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM"];

const RTP = [1, 2, 3, 4, 5].map((sequence) =>
	Uint8Array.of(
		...bytesOfHex(`92e0000${sequence}0000000011223344aaaaaaaabbbbbbbbbede0001cccccccc`),
		...randomBytes(40),
	),
);
const RTCP = [1, 2, 3].map(() => Uint8Array.of(...bytesOfHex("80c8000611223344"), ...randomBytes(20)));

test.each(PROFILES)("damaged packets under %s throw nothing, and only what was sent comes out", (profile) => {
	const master: SrtpMasterKey = {
		profile,
		key: randomBytes(16),
		salt: randomBytes(masterSaltBytes(profile)),
		mki: bytesOfHex("0001"),
	};
	for (const [make, clear] of [
		[() => new SrtpContext(master), RTP],
		[() => new SrtcpContext(master), RTCP],
	] as const) {
		const sender = make();
		const sealed = clear.map((packet) => {
			const out = new Uint8Array(packet.length + sender.overheadBytes);
			sender.protect(packet, 0, packet.length, out, 0);
			return out;
		});
		fc.assert(
			fc.property(fc.array(mutated(sealed, 3), { maxLength: 12 }), fc.nat(5), (packets, outOffset) => {
				const receiver = make();
				const seen = new Set<string>();
				for (const packet of packets) {
					const out = new Uint8Array(packet.length + 5);
					const length = receiver.unprotect(packet, 0, packet.length, out, outOffset);
					if (length === -1) continue;
					const text = Buffer.from(out.subarray(outOffset, outOffset + length)).toString("hex");
					expect(clear.map((one) => Buffer.from(one).toString("hex"))).toContain(text);
					expect(seen).not.toContain(text);
					seen.add(text);
				}
				const refused = Object.values(receiver.refusals).reduce((sum, count) => sum + count, 0);
				expect(refused + seen.size).toBe(packets.length);
			}),
			{ seed, numRuns: 700 },
		);
	}
});

test.each(PROFILES)("packets of any bytes are protected under %s as they are, or refused", (profile) => {
	const master: SrtpMasterKey = { profile, key: randomBytes(16), salt: randomBytes(masterSaltBytes(profile)) };
	for (const [make, seeds] of [
		[() => new SrtpContext(master), RTP],
		[() => new SrtcpContext(master), RTCP],
	] as const) {
		fc.assert(
			fc.property(fc.oneof(mutated(seeds), fc.uint8Array({ maxLength: 60 })), (packet) => {
				const [sender, receiver] = [make(), make()];
				const out = new Uint8Array(packet.length + sender.overheadBytes);
				const length = sender.protect(packet, 0, packet.length, out, 0);
				if (length === -1) {
					expect(sender.refusals.malformed).toBe(1);
					return;
				}
				expect(receiver.unprotect(out, 0, length, out, 0)).toBe(packet.length);
				expect(out.subarray(0, packet.length)).toEqual(packet);
			}),
			{ seed, numRuns: 700 },
		);
	}
});

test("damaged MIKEY messages are protocol errors, or parsed within bounds and written as they were read", () => {
	const [key, salt] = [randomBytes(16), randomBytes(14)];
	const seeds = [
		mikeyFor({ key, salt, ssrcs: [1], nowMs: 0 }),
		mikeyFor({ key, salt, ssrcs: [1, { ssrc: 2, rollover: 3 }], nowMs: 1.7e12, mki: bytesOfHex("01020304") }),
		mikeyFor({ key, salt: salt.subarray(2), ssrcs: [], nowMs: 0, profile: "AEAD_AES_128_GCM" }),
	];
	const two = { key, salt: null, spi: null };
	const bytes = [...seeds, { ...seeds[0]!, keys: [two, { key, salt, spi: bytesOfHex("07") }] }].map(writeMikey);
	let parsed = 0;
	fc.assert(
		fc.property(mutated(bytes, 4), (damaged) => {
			try {
				const message = parseMikey(damaged);
				parsed++;
				expect(message.sources.length).toBeLessThanOrEqual(MAX_MIKEY_SOURCES);
				expect(parseMikey(writeMikey(message))).toEqual(message);
				new SrtpContext(keysOf(message).master);
			} catch (error) {
				if (!(error instanceof ProtocolError)) throw error;
			}
		}),
		{ seed, numRuns: 3000 },
	);
	expect(parsed).toBeGreaterThan(300);
});
