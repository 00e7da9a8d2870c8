import { describe, expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import { run } from "../../test/support/program.ts";
import { JPEG_EOI, type JpegPicture, jpegHeaders, parseJpeg } from "./jpeg.ts";

const PICTURE: JpegPicture = {
	width: 33,
	height: 17,
	sampling: "4:2:2",
	luma: new Uint8Array(64).fill(3),
	chroma: new Uint8Array(64).fill(4),
	restartInterval: 5,
	scan: bytesOfHex("aaff00bbffd0ccff00"),
};

const jpegOf = (picture: JpegPicture) => Uint8Array.from([...jpegHeaders(picture), ...picture.scan, ...JPEG_EOI]);
/** `jpeg` with one run of bytes replaced by another. */
function replaced(jpeg: Uint8Array, from: string, to: string): Uint8Array {
	const hex = Buffer.from(jpeg).toString("hex");
	expect(hex).toContain(from);
	return bytesOfHex(hex.replace(from, to));
}

const encoded = (pixels: string, ...options: string[]) =>
	run("ffmpeg", [
		...["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=200x120", "-frames:v", "1", "-pix_fmt", pixels],
		...["-c:v", "mjpeg", ...options, "-f", "image2pipe", "-"],
	]);

test("what is written is read again", () => {
	expect(parseJpeg(jpegOf(PICTURE))).toEqual(PICTURE);
	const plain: JpegPicture = { ...PICTURE, sampling: "4:2:0", restartInterval: 0, luma: new Uint8Array(128).fill(1) };
	expect(parseJpeg(jpegOf(plain))).toEqual(plain);
});

test("the scan ends at EOI, or where a picture without one ends", () => {
	const whole = jpegOf(PICTURE);
	expect(parseJpeg(Uint8Array.from([...whole, 1, 2, 3]))).toEqual(PICTURE);
	expect(parseJpeg(whole.subarray(0, -2))).toEqual(PICTURE);
});

describe("pictures of ffmpeg", () => {
	test("with the typical Huffman tables are read", async () => {
		const jpeg = await encoded("yuvj420p", "-huffman", "default");
		const picture = parseJpeg(jpeg)!;
		expect(picture).toMatchObject({ width: 200, height: 120, sampling: "4:2:0", restartInterval: 0 });
	});

	test("with other Huffman tables, or full chroma, are refused", async () => {
		expect(parseJpeg(await encoded("yuvj420p", "-huffman", "optimal"))).toBeNull();
		expect(parseJpeg(await encoded("yuvj444p", "-huffman", "default"))).toBeNull();
	});
});

test("what RTP cannot carry is refused", () => {
	const jpeg = jpegOf(PICTURE);
	// SOF0 of 8 bits, 17 high and 33 wide, with three components.
	const frame = "ffc00011080011002103";
	const cases: [string, string][] = [
		[frame, "ffc20011080011002103"],
		[frame, "ffc000110c0011002103"],
		[frame, "ffc00011080000002103"],
		[frame, "ffc00011080011000003"],
		[frame, "ffc00011080011002104"],
		["012100021101", "014100021101"],
		["012100021101", "012100022101"],
		["021101031101", "021101031100"],
		["0301000211031100", "0301010211031100"],
		["0301000211031100", "0301000200031100"],
		["ffdb004301", "ffdb004307"],
		["ffdb004301", "ffdb004321"],
		["ffdd00040005", "ffdd00020005"],
		["ffd0cc", "ffdacc"],
	];
	for (const [from, to] of cases) expect([to, parseJpeg(replaced(jpeg, from, to))]).toEqual([to, null]);
});

test("every truncation before the scan is refused", () => {
	const headers = jpegHeaders(PICTURE);
	for (let length = 0; length <= headers.length; length++) expect(parseJpeg(headers.subarray(0, length))).toBeNull();
});
