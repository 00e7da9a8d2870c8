import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { H264_TRACK, rtpPacket } from "../../test/support/rtp-stream.ts";
import { parseMikey } from "../srtp/mikey.ts";
import { keysOf } from "../srtp/mikey-keys.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";
import type { RtpBatch } from "../stream/rtp-batch.ts";
import { Opener, StreamSealer } from "./secure.ts";

const SSRC = 0x1234_5678;

/** A stream of one track, whose next packet has the index that is set. */
class Numbered {
	next = 0;
	/** The number of the first packet that is kept for readers that come. */
	kept: number | null = null;
	readonly sealer = new StreamSealer({ indexOf: () => this.next });

	/** What a reader that comes now is told. */
	message(): string {
		const sequence = this.kept ?? this.next & 0xffff;
		const stream: Pick<ReadableStreamOfPath, "path" | "tracks" | "ssrcOf" | "position"> = {
			path: parsePathName("cam01"),
			tracks: [H264_TRACK],
			ssrcOf: () => SSRC,
			position: () => ({ sequence, rtpTime: 0, ssrc: SSRC }),
		};
		return this.sealer.messageFor(stream as ReadableStreamOfPath, 0, 0);
	}

	/** The packet of an index, as readers get it. */
	seal(index: number): Uint8Array {
		const packet = packetOf(index);
		this.next = index + 1;
		const bytes = Uint8Array.of(0x24, 0, packet.length >> 8, packet.length & 0xff, ...packet);
		const batch: RtpBatch = { bytes, packets: [0, 4, packet.length], randomAccess: true, arrivalMs: 0 };
		const { bytes: sealed, packets } = this.sealer.seal(batch);
		return sealed.subarray(packets[1], (packets[1] ?? 0) + (packets[2] ?? 0));
	}
}

function packetOf(index: number): Uint8Array {
	return rtpPacket({
		sequence: index % 65_536,
		timestamp: index,
		ssrc: SSRC,
		payload: Uint8Array.of(0x65, index & 0xff),
	});
}

function rolloverIn(message: string): number | undefined {
	return keysOf(parseMikey(Uint8Array.from(Buffer.from(message, "base64")))).sources[0]?.rollover;
}

describe("the SRTP of a stream", () => {
	it.each([65_536, 40_000 + 65_530, 3 * 65_536 + 7, 4 * 65_536 + 65_535])(
		"begins with packet %d for a reader that comes after nobody was there",
		(index) => {
			const stream = new Numbered();
			expect(rolloverIn(stream.message())).toBe(0);
			stream.seal(65_530);
			stream.next = index;
			const message = stream.message();
			expect(rolloverIn(message)).toBe(Math.floor(index / 65_536));
			const sealed = stream.seal(index);
			expect(new Opener(message).openRtp(sealed, 0, sealed.length)).toEqual(packetOf(index));
		},
	);

	it("goes on over a roll-over for who was there", () => {
		const stream = new Numbered();
		const opener = new Opener(stream.message());
		for (let index = 65_500; index < 65_600; index++) {
			const sealed = stream.seal(index);
			expect(opener.openRtp(sealed, 0, sealed.length)).toEqual(packetOf(index));
		}
		expect(rolloverIn(stream.message())).toBe(1);
	});

	it("tells the roll-over counter of the packets that are kept for a reader, not of those after them", () => {
		const stream = new Numbered();
		stream.next = 65_536 + 10;
		stream.kept = 65_520;
		expect(rolloverIn(stream.message())).toBe(0);
	});
});
