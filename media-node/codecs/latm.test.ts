import { describe, expect, test } from "vitest";
import { BitWriter } from "../../test/support/bit-writer.ts";
import { bytesOfHex } from "../../test/support/hex.ts";
import { run } from "../../test/support/program.ts";
import { parseAdtsHeader } from "./aac.ts";
import { parseStreamMuxConfig, readAudioMuxElements, type StreamMuxConfig } from "./latm.ts";

const AAC_LC = bytesOfHex("1190");
const PLAIN: StreamMuxConfig = { config: AAC_LC, frames: 1, otherBits: 0 };

describe("a StreamMuxConfig", () => {
	test.each([
		["as ffmpeg writes it", "400023203fc0", "1190"],
		["of 44.1 kHz in mono", "400024103fc0", "1208"],
		["as GStreamer writes it, cut short, with band replication signalled behind it", "40002320adca00", "119056e500"],
	])("%s", (_, hex, config) => {
		expect(parseStreamMuxConfig(bytesOfHex(hex))).toEqual({ ...PLAIN, config: bytesOfHex(config) });
	});

	test("of HE-AAC that is told explicitly ends with a bit in the middle of a byte", () => {
		const bits = new BitWriter().u(2, 1).u(13, 0).u(16, 0x2b11).u(9, 0x110).u(3, 0).u(8, 0xff).u(2, 0);
		expect(parseStreamMuxConfig(bits.bytes())).toEqual({ ...PLAIN, config: bytesOfHex("2b118800") });
	});

	test("with band replication at 48 kHz behind the configuration", () => {
		const bits = new BitWriter().u(2, 1).u(13, 0).u(16, 0x1188).u(11, 0x2b7).u(5, 5).u(1, 1).u(4, 3);
		bits.u(3, 0).u(8, 0xff).u(2, 0);
		expect(parseStreamMuxConfig(bits.bytes())).toEqual({ ...PLAIN, config: bytesOfHex("118856e598") });
	});

	test("with several frames, other data and a check sum", () => {
		const bits = new BitWriter().u(1, 0).u(1, 1).u(6, 3).u(4, 0).u(3, 0).u(16, 0x1190).u(3, 0).u(8, 0xff);
		bits.u(1, 1).u(1, 1).u(8, 1).u(1, 0).u(8, 2).u(1, 1).u(8, 0xaa);
		expect(parseStreamMuxConfig(bits.bytes())).toEqual({ config: AAC_LC, frames: 4, otherBits: 258 });
	});

	test("of version 1 tells the length of the configuration, and so all that stands behind it", () => {
		const bits = new BitWriter().u(1, 1).u(1, 0).u(2, 0).u(8, 0xff).u(1, 1).u(6, 0).u(4, 0).u(3, 0);
		bits.u(2, 0).u(8, 37).u(32, 0x131056e5).u(5, 0b10011).u(3, 0).u(8, 0xff);
		bits.u(1, 1).u(2, 1).u(16, 500).u(1, 0);
		const config = bytesOfHex("131056e598");
		expect(parseStreamMuxConfig(bits.bytes())).toEqual({ config, frames: 1, otherBits: 500 });
	});

	test.each([
		["version A 1", new BitWriter().u(2, 3), "media.unsupported"],
		["streams of different framing", new BitWriter().u(2, 0), "media.unsupported"],
		["two programs", new BitWriter().u(2, 1).u(6, 0).u(4, 1).u(3, 0), "media.unsupported"],
		["two layers", new BitWriter().u(2, 1).u(6, 0).u(4, 0).u(3, 1), "media.unsupported"],
		["CELP", new BitWriter().u(2, 1).u(6, 0).u(7, 0).u(5, 8).u(4, 3).u(4, 1), "media.unsupported"],
		["frames of fixed length", new BitWriter().u(2, 1).u(13, 0).u(16, 0x1190).u(3, 1), "media.unsupported"],
		[
			"other data without end",
			new BitWriter().u(2, 1).u(13, 0).u(16, 0x1190).u(11, 0).u(1, 1).u(9, 0x1ff).u(9, 0x1ff).u(9, 0x1ff).u(9, 0x1ff),
			"bytes.malformed",
		],
	])("with %s is refused", (_, bits, code) => {
		expect(() => parseStreamMuxConfig(bits.bytes())).toThrow(expect.objectContaining({ code }));
	});

	test("is refused when its configuration is cut", () => {
		const whole = bytesOfHex("400023203fc0");
		for (let length = 0; length < whole.length - 1; length++) {
			expect(() => parseStreamMuxConfig(whole.subarray(0, length))).toThrow(
				expect.objectContaining({ code: "bytes.truncated" }),
			);
		}
	});
});

describe("elements", () => {
	test("are of frames behind their lengths, which go on while a byte is 255", () => {
		const long = new Uint8Array(300).fill(7);
		const exact = new Uint8Array(255).fill(8);
		const bytes = Uint8Array.of(3, 1, 2, 3, 255, 45, ...long, 255, 0, ...exact);
		expect(readAudioMuxElements(bytes, PLAIN, false)).toEqual([Uint8Array.of(1, 2, 3), long, exact]);
	});

	test("may have several frames and other data", () => {
		const layout = { ...PLAIN, frames: 2, otherBits: 12 };
		expect(readAudioMuxElements(bytesOfHex("01aa02bbcc fff0 01dd00 0000".replaceAll(" ", "")), layout, false)).toEqual([
			bytesOfHex("aa"),
			bytesOfHex("bbcc"),
			bytesOfHex("dd"),
		]);
	});

	test.each([
		["nothing", ""],
		["no frame", "00"],
		["a frame that is cut", "03aabb"],
		["a length that is cut", "ff"],
		["bytes behind the last one", "01aa05"],
	])("of %s give nothing", (_, hex) => {
		expect(readAudioMuxElements(bytesOfHex(hex), PLAIN, false)).toBeNull();
	});

	test("with another configuration in band give nothing", () => {
		const bits = new BitWriter().u(1, 0).u(2, 1).u(13, 0).u(16, 0x1210).u(3, 0).u(8, 0xff).u(2, 0).u(8, 1).u(8, 0x55);
		expect(readAudioMuxElements(bits.bytes(), PLAIN, true)).toBeNull();
		expect(readAudioMuxElements(bits.bytes(), { ...PLAIN, config: bytesOfHex("1210") }, true)).toEqual([
			bytesOfHex("55"),
		]);
	});

	test("of ffmpeg's LATM stream have the frames of the ADTS stream", async () => {
		const source = ["-v", "error", "-f", "lavfi", "-i", "sine=sample_rate=48000:duration=1", "-ac", "2"];
		const encoder = ["-c:a", "aac", "-b:a", "256k", "-bitexact"];
		const adts = await run("ffmpeg", [...source, ...encoder, "-f", "adts", "-"]);
		const loas = await run("ffmpeg", [...source, ...encoder, "-f", "latm", "-"]);
		const expected: Uint8Array[] = [];
		for (let at = 0; at < adts.length; ) {
			const { headerBytes, frameBytes } = parseAdtsHeader(adts, at);
			expected.push(Uint8Array.from(adts.subarray(at + headerBytes, at + frameBytes)));
			at += frameBytes;
		}
		const found: Uint8Array[] = [];
		for (let at = 0; at < loas.length; ) {
			// AudioSyncStream, ISO 14496-3 §1.7.2: eleven bits of sync word, thirteen of length.
			const length = ((loas[at + 1]! & 0x1f) << 8) | loas[at + 2]!;
			const element = Uint8Array.from(loas.subarray(at + 3, at + 3 + length));
			found.push(...(readAudioMuxElements(element, PLAIN, true) ?? []));
			at += 3 + length;
		}
		expect(found.length).toBeGreaterThan(40);
		expect(found).toEqual(expected);
	});
});
