import { createSecretKey } from "node:crypto";
import { AesCmCipher } from "./aes-cm.ts";
import { AesGcmCipher } from "./aes-gcm.ts";
import { deriveKey, KeyLabel } from "./key-derivation.ts";
import type { PacketCipher } from "./packet-cipher.ts";

/** What is agreed on for a session, by its name in RFC 4568 §6.2 or RFC 7714 §14.1. */
export type SrtpProfile = "AES_CM_128_HMAC_SHA1_80" | "AES_CM_128_HMAC_SHA1_32" | "AEAD_AES_128_GCM";

/** Master key and salt of one direction, as MIKEY or DTLS gives them. */
export type SrtpMasterKey = {
	readonly profile: SrtpProfile;
	/** {@link MASTER_KEY_BYTES}. */
	readonly key: Uint8Array;
	/** {@link masterSaltBytes}. */
	readonly salt: Uint8Array;
	/** The master key identifier that stands in each packet, of up to {@link MAX_MKI_BYTES}. Mostly there is none. */
	readonly mki?: Uint8Array;
};

/** Bytes of a master key: all profiles are of AES-128. */
export const MASTER_KEY_BYTES = 16;

/** Bytes that a master key identifier may have. RFC 4568 §6.1 allows 128. */
export const MAX_MKI_BYTES = 128;

const HMAC_KEY_BYTES = 20;

/** Bytes of the master salt of a profile. */
export function masterSaltBytes(profile: SrtpProfile): number {
	return profile === "AEAD_AES_128_GCM" ? 12 : 14;
}

/** The cipher of RTP or RTCP packets under a master key. Throws a RangeError if key, salt or MKI has another size. */
export function createPacketCipher(master: SrtpMasterKey, kind: "rtp" | "rtcp"): PacketCipher {
	const saltBytes = masterSaltBytes(master.profile);
	if (master.key.length !== MASTER_KEY_BYTES || master.salt.length !== saltBytes) {
		throw new RangeError(`${master.profile} has a key of ${MASTER_KEY_BYTES} and a salt of ${saltBytes} bytes`);
	}
	if ((master.mki?.length ?? 0) > MAX_MKI_BYTES) {
		throw new RangeError(`A master key identifier has up to ${MAX_MKI_BYTES} bytes`);
	}
	const masterKey = createSecretKey(master.key);
	const rtp = kind === "rtp";
	const keyOf = (label: KeyLabel, length: number) => deriveKey(masterKey, master.salt, label, length);
	const encryption = createSecretKey(keyOf(rtp ? KeyLabel.rtpEncryption : KeyLabel.rtcpEncryption, MASTER_KEY_BYTES));
	const salt = keyOf(rtp ? KeyLabel.rtpSalt : KeyLabel.rtcpSalt, saltBytes);
	if (master.profile === "AEAD_AES_128_GCM") return new AesGcmCipher({ encryption, salt }, !rtp);
	const authentication = keyOf(rtp ? KeyLabel.rtpAuthentication : KeyLabel.rtcpAuthentication, HMAC_KEY_BYTES);
	// A short tag is for RTP only. RFC 4568 §6.2.2.
	const tagBytes = rtp && master.profile === "AES_CM_128_HMAC_SHA1_32" ? 4 : 10;
	return new AesCmCipher({ encryption, authentication, salt }, tagBytes);
}
