import { describe, expect, it } from "vitest";
import { extensionText, findExtension, NO_EXTENSIONS, sentExtensions } from "./header-extensions.ts";

/** A packet with an extension of this profile and data, and four bytes of payload. */
function packetWith(profile: number, data: readonly number[]): Uint8Array {
	const padded = [...data, ...new Array<number>(-data.length & 3).fill(0)];
	const header = [0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
	return Uint8Array.from([...header, profile >> 8, profile & 0xff, 0, padded.length / 4, ...padded, 1, 2, 3, 4]);
}

function find(packet: Uint8Array, id: number): number[] | null {
	const place = { offset: 0, length: 0 };
	const isThere = findExtension(place, packet, 0, packet.length, id);
	return isThere ? [...packet.subarray(place.offset, place.offset + place.length)] : null;
}

describe("findExtension", () => {
	it("reads one-byte headers with padding between them: RFC 8285 §4.2", () => {
		const packet = packetWith(0xbede, [0x10, 7, 0x22, 1, 2, 3, 0, 0, 0x31, 8, 9]);
		expect(find(packet, 1)).toEqual([7]);
		expect(find(packet, 2)).toEqual([1, 2, 3]);
		expect(find(packet, 3)).toEqual([8, 9]);
		expect(find(packet, 4)).toBeNull();
	});

	it("reads two-byte headers, also empty ones and IDs beyond 14: RFC 8285 §4.3", () => {
		const packet = packetWith(0x1005, [1, 0, 2, 1, 7, 0, 200, 3, 4, 5, 6]);
		expect(find(packet, 1)).toEqual([]);
		expect(find(packet, 2)).toEqual([7]);
		expect(find(packet, 200)).toEqual([4, 5, 6]);
	});

	it("reads nothing behind the ID 15 of one-byte headers", () => {
		expect(find(packetWith(0xbede, [0xf0, 1, 0x20, 2]), 2)).toBeNull();
	});

	it("finds nothing in another profile, nor where none was agreed upon", () => {
		expect(find(packetWith(0x1234, [0x10, 7]), 1)).toBeNull();
		expect(find(packetWith(0xbede, [0, 0, 0, 0]), 0)).toBeNull();
	});

	it("looks behind contributing sources", () => {
		const plain = packetWith(0xbede, [0x10, 7]);
		const packet = Uint8Array.from([0x92, ...plain.subarray(1, 12), ...new Array(8).fill(9), ...plain.subarray(12)]);
		expect(find(packet, 1)).toEqual([7]);
	});

	it("finds nothing beyond the end, wherever a packet is cut", () => {
		const packet = packetWith(0xbede, [0x10, 7, 0x22, 1, 2, 3, 0x3f]);
		for (let length = 0; length < packet.length; length++) {
			const cut = packet.slice(0, length);
			for (let id = 0; id < 16; id++) {
				const found = find(cut, id);
				if (length < 24) expect(found).toBeNull();
			}
		}
		expect(find(packet, 3)).toBeNull();
	});
});

describe("extensionText", () => {
	it("gives a MID as text, and nothing when it is empty or too long", () => {
		expect(extensionText(packetWith(0xbede, [0x12, 0x61, 0x62, 0x63]), 0, 24, 1)).toBe("abc");
		expect(extensionText(packetWith(0x1000, [1, 0]), 0, 24, 1)).toBeNull();
		const long = packetWith(0x1000, [1, 65, ...new Array<number>(65).fill(0x61)]);
		expect(extensionText(long, 0, long.length, 1)).toBeNull();
	});
});

describe("sentExtensions", () => {
	it("writes what is found again", () => {
		const { bytes, transportSequenceAt } = sentExtensions({ ...NO_EXTENSIONS, mid: 4, transportSequence: 3 }, "12");
		const packet = Uint8Array.from([0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, ...bytes]);
		packet.set([0xab, 0xcd], 12 + transportSequenceAt);
		expect(extensionText(packet, 0, packet.length, 4)).toBe("12");
		expect(find(packet, 3)).toEqual([0xab, 0xcd]);
		expect(bytes.length % 4).toBe(0);
	});

	it("writes nothing when nothing was agreed upon", () => {
		expect(sentExtensions(NO_EXTENSIONS, "0")).toEqual({ bytes: new Uint8Array(0), transportSequenceAt: -1 });
	});
});
