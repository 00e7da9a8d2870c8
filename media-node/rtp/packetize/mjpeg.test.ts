import { expect, test } from "vitest";
import { JPEG_EOI, type JpegPicture, jpegHeaders } from "../../codecs/jpeg.ts";
import { packetizeMjpeg } from "./mjpeg.ts";

const PICTURE: Omit<JpegPicture, "scan"> = {
	width: 328,
	height: 248,
	sampling: "4:2:0",
	luma: new Uint8Array(64).fill(0x11),
	chroma: new Uint8Array(64).fill(0x22),
	restartInterval: 0,
};

function jpeg(picture: Partial<JpegPicture>, scan = new Uint8Array(300).fill(7)): Uint8Array {
	return Uint8Array.from([...jpegHeaders({ ...PICTURE, ...picture }), ...scan, ...JPEG_EOI]);
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("a picture is cut, with the tables in the first part and the marker on the last", () => {
	const payloads = packetizeMjpeg([jpeg({})], 200);
	expect(payloads.map(({ bytes, marker }) => [hexOf(bytes.subarray(0, 8)), bytes.length, marker])).toEqual([
		["0000000001ff291f", 200, false],
		["0000003c01ff291f", 200, false],
		["000000fc01ff291f", 8 + 48, true],
	]);
	expect(hexOf(payloads[0]!.bytes.subarray(8, 140))).toBe(`00000080${"11".repeat(64)}${"22".repeat(64)}`);
	expect(payloads[1]!.bytes.subarray(8)).toEqual(new Uint8Array(192).fill(7));
});

test("4:2:2 is type 0, and restart intervals are told in each part", () => {
	const [first, second] = packetizeMjpeg([jpeg({ sampling: "4:2:2", restartInterval: 21 })], 200);
	expect(hexOf(first!.bytes.subarray(0, 16))).toBe("0000000040ff291f0015ffff00000080");
	expect(hexOf(second!.bytes.subarray(0, 13))).toBe("0000003840ff291f0015ffff07");
});

test("a size that is no multiple of eight is rounded up", () => {
	const [first] = packetizeMjpeg([jpeg({ width: 321, height: 2_040 })], 1_000);
	expect([first!.bytes[6], first!.bytes[7]]).toEqual([41, 255]);
});

test("what the format cannot carry is left out, and the rest is not", () => {
	const good = jpeg({});
	const bad = [
		jpeg({ width: 2_041 }),
		jpeg({ height: 2_048 }),
		jpeg({ luma: new Uint8Array(128).fill(1) }),
		good.subarray(0, 100),
		new Uint8Array(0),
	];
	for (const frame of bad) expect(packetizeMjpeg([frame], 1_000)).toEqual([]);
	expect(packetizeMjpeg([bad[0]!, good], 1_000)).toHaveLength(1);
});

test("a payload that has no room for the tables carries no picture", () => {
	expect(packetizeMjpeg([jpeg({})], 144)).toEqual([]);
	expect(packetizeMjpeg([jpeg({ restartInterval: 1 })], 145).length).toBeGreaterThan(1);
});
