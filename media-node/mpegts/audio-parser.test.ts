import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { sample } from "../../test/support/media.ts";
import { readAdtsFrame } from "./audio-frame.ts";
import { AudioParser } from "./audio-parser.ts";
import type { ElementaryUnit } from "./elementary-parser.ts";

const FRAME_90K = 1_920;

async function adts(): Promise<Uint8Array> {
	const audio = ["aac", "-ar", "48000", "-ac", "2"];
	return new Uint8Array(await readFile(await sample({ seconds: 1, video: null, audio, extension: "aac" })));
}

/** Where frames begin. */
function framesOf(bytes: Uint8Array): number[] {
	const starts: number[] = [];
	for (let at = 0; at < bytes.length; ) {
		starts.push(at);
		const frame = readAdtsFrame(bytes, at);
		if (typeof frame === "string") throw new Error(`${frame} at ${at}`);
		at += frame.bytes;
	}
	return starts;
}

/** Each frame with the time that it has by its unit. */
function timesOf(units: readonly ElementaryUnit[]): [number, Uint8Array][] {
	return units.flatMap(({ pts, frames }) => frames.map((frame, i): [number, Uint8Array] => [pts + i * 1_024, frame]));
}

/** Packets that are cut each `packetBytes`, each with the time of the first frame that begins in it. */
function parsed(
	bytes: Uint8Array,
	packetBytes: number,
	origin: number,
): { parser: AudioParser; units: ElementaryUnit[] } {
	const starts = framesOf(bytes);
	const parser = new AudioParser(readAdtsFrame);
	const units: ElementaryUnit[] = [];
	for (let at = 0; at < bytes.length; at += packetBytes) {
		const first = starts.findIndex((start) => start >= at);
		const begins = first !== -1 && starts[first]! < at + packetBytes;
		const pts = begins ? origin + first * FRAME_90K : null;
		units.push(...parser.push({ pts, dts: pts, data: bytes.subarray(at, at + packetBytes), randomAccess: false }));
	}
	return { parser, units };
}

it("gives each frame its time, however packets cut the frames", async () => {
	const bytes = await adts();
	const count = framesOf(bytes).length;
	const whole = timesOf(parsed(bytes, bytes.length, 90_000).units);
	expect(whole.map(([time]) => time)).toEqual(Array.from({ length: count }, (_, i) => 48_000 + i * 1_024));
	for (const size of [50, 333, 1_000, 2_930]) {
		const { parser, units } = parsed(bytes, size, 90_000);
		expect(timesOf(units)).toEqual(whole);
		expect(parser.dropped).toBe(0);
	}
});

it("counts on where time stamps are rounded, and follows them where they leap", async () => {
	const bytes = await adts();
	const starts = framesOf(bytes);
	const parser = new AudioParser(readAdtsFrame);
	const given: number[] = [];
	const stamps = [90_000, 91_921, 93_839, 95_760, 200_000, 201_920];
	for (const [i, pts] of stamps.entries()) {
		const data = bytes.subarray(starts[i], starts[i + 1]);
		given.push(...parser.push({ pts, dts: pts, data, randomAccess: false }).map((unit) => unit.pts));
	}
	expect(given).toEqual([48_000, 49_024, 50_048, 51_072, 106_667, 107_691]);
});

it("goes on with the next frame behind bytes that are none, and counts them", async () => {
	const bytes = await adts();
	const starts = framesOf(bytes);
	const parser = new AudioParser(readAdtsFrame);
	const data = Uint8Array.from([1, 2, 0xff, 3, ...bytes.subarray(starts[3], starts[5])]);
	const units = parser.push({ pts: 90_000, dts: 90_000, data, randomAccess: false });
	expect(units.flatMap(({ frames }) => frames.length)).toEqual([2]);
	expect(parser.dropped).toBe(1);
});

it("does not join what comes after a loss to what came before", async () => {
	const bytes = await adts();
	const starts = framesOf(bytes);
	const parser = new AudioParser(readAdtsFrame);
	const push = (pts: number, from: number, to: number) =>
		parser.push({ pts, dts: pts, data: bytes.subarray(from, to), randomAccess: false });
	expect(push(90_000, starts[0]!, starts[1]! - 20)).toEqual([]);
	parser.reset();
	expect(push(180_000, starts[7]!, starts[8]!)).toMatchObject([
		{ pts: 96_000, frames: [{ length: starts[8]! - starts[7]! - 7 }] },
	]);
});
