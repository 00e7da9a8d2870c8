import { describe, expect, it } from "vitest";
import { type KeptPlaylist, PlaylistMemory } from "./playlist-memory.ts";

const URL = "/edge/cam/v0.m3u8";
/** Made at 0, with a life of a second. */
const made = (text: string, storedMs = 0): KeptPlaylist => ({
	text,
	headers: new Headers(),
	control: "public, max-age=1",
	storedMs,
	untilMs: storedMs + 1000,
});

describe("the memory of playlists", () => {
	it("sends one of all who ask on when nine tenths of its life are over, and gives the others what it has", () => {
		const memory = new PlaylistMemory();
		expect(memory.get(URL, 0)).toBeNull();
		memory.keep(URL, made("first"));
		expect(memory.get(URL, 899)?.text).toBe("first");
		expect(memory.get(URL, 900)).toBeNull();
		expect(memory.get(URL, 900)?.text).toBe("first");
		memory.keep(URL, made("second", 950));
		expect(memory.get(URL, 1000)?.text).toBe("second");
	});

	it("gives nothing that is older than two lives, however long the one who asks takes", () => {
		const memory = new PlaylistMemory();
		memory.keep(URL, made("first"));
		expect(memory.get(URL, 900)).toBeNull();
		expect(memory.get(URL, 1999)?.text).toBe("first");
		expect(memory.get(URL, 2000)).toBeNull();
	});

	it("gives nothing that is too old when nobody has asked", () => {
		const memory = new PlaylistMemory();
		memory.keep(URL, made("first"));
		expect(memory.get(URL, 60_000)).toBeNull();
	});

	it("keeps a thousand playlists, and none that is very long", () => {
		const memory = new PlaylistMemory();
		for (let i = 0; i <= 1000; i++) memory.keep(`/edge/${i}`, made(String(i)));
		expect([memory.get("/edge/0", 1), memory.get("/edge/1000", 1)?.text]).toEqual([null, "1000"]);
		memory.keep(URL, made("x".repeat(65_537)));
		expect(memory.get(URL, 1)).toBeNull();
	});
});
