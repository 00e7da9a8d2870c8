import { describe, expect, it } from "vitest";
import { run } from "../../test/support/program.ts";
import { parseAdtsHeader } from "../codecs/aac.ts";
import { PacketCutter } from "./packet-cutter.ts";

const TONE = ["-v", "error", "-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "0.5"];

/** What a cutter makes of bytes in pieces of `size`. */
function cut(cutter: PacketCutter, bytes: Uint8Array, size: number): Uint8Array[] {
	const packets: Uint8Array[] = [];
	for (let at = 0; at < bytes.length; at += size) {
		packets.push(...cutter.push(bytes.subarray(at, at + size)).map((packet) => packet.slice()));
	}
	return packets;
}

describe("PacketCutter", () => {
	it("cuts Opus of a constant bit rate and ADTS wherever the bytes were divided", async () => {
		const opusArgs = ["-c:a", "libopus", "-vbr", "off", "-b:a", "48000", "-map", "0:a", "-f", "data", "-"];
		const opus = new Uint8Array(await run("ffmpeg", [...TONE, ...opusArgs]));
		const adts = new Uint8Array(await run("ffmpeg", [...TONE, "-c:a", "aac", "-f", "adts", "-"]));
		expect(opus.length).toBe(26 * 120);
		for (const size of [1, 7, 119, 120, 121, 5000]) {
			const packets = cut(new PacketCutter("Opus", 1), opus, size);
			expect(packets.map(({ length }) => length)).toEqual(new Array(26).fill(120));
			expect(Buffer.concat(packets)).toEqual(Buffer.from(opus));
			const frames = cut(new PacketCutter("AAC", 1), adts, size);
			expect(frames).toEqual(cut(new PacketCutter("AAC", 1), adts, adts.length));
			expect(Buffer.concat(frames).length).toBe(adts.length - frames.length * parseAdtsHeader(adts).headerBytes);
		}
	});

	it("gives nothing of what is not whole, at every length, and never throws for it", () => {
		const packet = new Uint8Array(240).fill(7);
		packet[0] = 0xfc; // RFC 6716 §3.1: CELT of 20 ms in stereo, one frame
		for (let length = 0; length < 240; length++) {
			expect(new PacketCutter("Opus", 2).push(packet.subarray(0, length))).toEqual([]);
		}
		expect(new PacketCutter("Opus", 2).push(packet)).toEqual([packet]);
	});

	it.each<[string, "Opus" | "AAC", number]>([
		["Opus of another length", "Opus", 0xe0],
		["no ADTS", "AAC", 0x00],
	])("refuses %s", (_, to, first) => {
		const bytes = new Uint8Array(500).fill(first);
		expect(() => new PacketCutter(to, 1).push(bytes)).toThrow(expect.objectContaining({ code: "bytes.malformed" }));
	});
});
