import { u8, u16 } from "../../bytes/big-endian.ts";
import { RTP_HEADER_BYTES } from "../../rtp/rtp-packet.ts";

/** What a session agreed to call each header extension; 0 where it has none. One-byte headers count to 14. */
export type ExtensionIds = {
	/** `urn:ietf:params:rtp-hdrext:sdes:mid`, RFC 9143 §15. */
	readonly mid: number;
	/** `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`, RFC 8852 §4.1. */
	readonly rid: number;
	/** `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id`, RFC 8852 §4.2. */
	readonly repairedRid: number;
	/** `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time` */
	readonly absSendTime: number;
	/** `http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01` */
	readonly transportSequence: number;
};

export const NO_EXTENSIONS: ExtensionIds = { mid: 0, rid: 0, repairedRid: 0, absSendTime: 0, transportSequence: 0 };

/** What the media sections of one transport agreed upon, together: an ID means the same in all of them, RFC 9143 §9.1. */
export function unitedExtensions(sections: readonly ExtensionIds[]): ExtensionIds {
	const ids = { ...NO_EXTENSIONS };
	for (const section of sections) {
		for (const name of Object.keys(ids) as (keyof ExtensionIds)[]) ids[name] ||= section[name];
	}
	return ids;
}

/** Where the data of an extension stands. One object serves for all packets. */
export type ExtensionPlace = { offset: number; length: number };

/** RFC 8285 §4.2. */
export const ONE_BYTE_PROFILE = 0xbede;
/** RFC 8285 §4.3: the last four bits belong to the application. */
const TWO_BYTE_PROFILE = 0x1000;
/** The ID in one-byte headers after which nothing may be read. */
const STOP = 15;
/** RFC 8852 §3.1 sets no limit; what anybody sends is far shorter. */
export const MAX_EXTENSION_TEXT = 64;

/**
 * Finds an extension of the packet of `length` bytes at `offset`, and puts the place of its data into `place`. `false`
 * when it has none, and where the packet is malformed. Never throws.
 */
export function findExtension(
	place: ExtensionPlace,
	bytes: Uint8Array,
	offset: number,
	length: number,
	id: number,
): boolean {
	if (id === 0 || length < RTP_HEADER_BYTES + 4 || offset + length > bytes.length) return false;
	const first = u8(bytes, offset);
	if ((first & 0x10) === 0) return false;
	const header = offset + RTP_HEADER_BYTES + (first & 0x0f) * 4;
	if (header + 4 > offset + length) return false;
	const profile = u16(bytes, header);
	const isShort = profile === ONE_BYTE_PROFILE;
	if (!isShort && (profile & 0xfff0) !== TWO_BYTE_PROFILE) return false;
	let at = header + 4;
	const end = at + u16(bytes, header + 2) * 4;
	if (end > offset + length) return false;
	while (at < end) {
		const head = u8(bytes, at++);
		if (head === 0) continue;
		let found = head;
		let size = 0;
		if (isShort) {
			found = head >> 4;
			size = (head & 0x0f) + 1;
			if (found === STOP) return false;
			// RFC 8285 §4.2: an ID of 0 with a length is to be left out, as padding is.
		} else {
			if (at >= end) return false;
			size = u8(bytes, at++);
		}
		if (size > end - at) return false;
		if (found === id) {
			place.offset = at;
			place.length = size;
			return true;
		}
		at += size;
	}
	return false;
}

/** The text of an extension, such as a MID or RID; `null` when the packet has none. */
export function extensionText(bytes: Uint8Array, offset: number, length: number, id: number): string | null {
	const place: ExtensionPlace = { offset: 0, length: 0 };
	if (!findExtension(place, bytes, offset, length, id)) return null;
	if (place.length === 0 || place.length > MAX_EXTENSION_TEXT) return null;
	let text = "";
	for (let i = 0; i < place.length; i++) text += String.fromCharCode(u8(bytes, place.offset + i));
	return text;
}

/** What to put into each packet that is sent. */
export type SentExtensions = {
	readonly bytes: Uint8Array;
	/** Where its transport-wide sequence number goes, from the beginning of `bytes`; -1 when it has none. */
	readonly transportSequenceAt: number;
};

/** The extension of every packet of a track, with its profile and length; empty when nothing was agreed upon. */
export function sentExtensions(ids: ExtensionIds, mid: string): SentExtensions {
	const data: number[] = [];
	let transportSequenceAt = -1;
	if (ids.mid > 0 && mid.length > 0 && mid.length <= 16) {
		data.push((ids.mid << 4) | (mid.length - 1), ...Buffer.from(mid, "latin1"));
	}
	if (ids.transportSequence > 0) {
		data.push((ids.transportSequence << 4) | 1, 0, 0);
		transportSequenceAt = 4 + data.length - 2;
	}
	if (data.length === 0) return { bytes: new Uint8Array(0), transportSequenceAt };
	while (data.length % 4 !== 0) data.push(0);
	const head = [ONE_BYTE_PROFILE >> 8, ONE_BYTE_PROFILE & 0xff, 0, data.length / 4];
	return { bytes: Uint8Array.from([...head, ...data]), transportSequenceAt };
}
