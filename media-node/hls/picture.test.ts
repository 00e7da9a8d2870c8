import { expect, it } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import type { Codec } from "../codecs/codec.ts";
import { ArenaPool } from "./arena-pool.ts";
import { appendPicture } from "./picture.ts";
import { SegmentArena } from "./segment-arena.ts";

function sampleOf(codec: Codec, ...frames: string[]): string | null {
	const arena = new SegmentArena(new ArenaPool(), 0, 16);
	const shows = appendPicture(arena, codec, frames.map(bytesOfHex));
	const sample = Buffer.from(arena.from(0)).toString("hex");
	if (!shows) expect(sample).toBe("");
	return shows ? sample : null;
}

it("gives each OBU of AV1 its size, and keeps the sequence header", () => {
	const av1 = { name: "AV1", sequenceHeader: bytesOfHex("080000") } as const;
	expect(sampleOf(av1, "080000", "3010aabb")).toBe("0a020000" + "320310aabb");
	expect(sampleOf(av1, "34081001")).toBe("3608021001");
	const long = `30${"55".repeat(200)}`;
	expect(sampleOf(av1, long)).toBe(`32c801${"55".repeat(200)}`);
});

it("leaves out of a sample of AV1 what may not be there", () => {
	// A temporal delimiter, a redundant frame header, a tile list, padding, and nothing at all.
	expect(sampleOf({ name: "AV1" }, "10", "1810", "38ff", "40ff", "78000080", "", "20aa")).toBe("1a0110" + "2201aa");
	// Metadata stays.
	expect(sampleOf({ name: "AV1" }, "280102", "3010")).toBe("2a020102" + "320110");
});

it("takes a frame of VP9 as it is", () => {
	expect(sampleOf({ name: "VP9" }, "8249834200")).toBe("8249834200");
});

it("adds nothing where there is nothing to show", () => {
	expect(sampleOf({ name: "AV1" }, "080000", "280102")).toBeNull();
	expect(sampleOf({ name: "AV1" }, "34")).toBe("3600");
	expect(sampleOf({ name: "VP9" }, "")).toBeNull();
	expect(sampleOf({ name: "VP8" }, "8249834200")).toBeNull();
});
