import { expect, test } from "vitest";
import { hlsAddress } from "./playback-address.ts";

const AT = Date.UTC(2026, 1, 3, 4, 5, 6, 789);

test("an address of the live edge has no query", () => {
	expect(hlsAddress("https://tv.example/", "aa.bb.cc", "site/cam-1.x")).toBe(
		"https://tv.example/aa.bb.cc/site/cam-1.x/index.m3u8",
	);
});

test("an address that begins earlier says when, and a clip both ends", () => {
	expect(hlsAddress("http://[::1]:8888", "t", "cam", { startMs: AT })).toBe(
		"http://[::1]:8888/t/cam/index.m3u8?start=2026-02-03T04:05:06.789Z",
	);
	expect(hlsAddress("http://h", "t", "cam", { startMs: AT, endMs: AT + 500.4 })).toBe(
		"http://h/t/cam/index.m3u8?start=2026-02-03T04:05:06.789Z&end=2026-02-03T04:05:07.289Z",
	);
});

test("what is no part of a path is encoded", () => {
	expect(hlsAddress("http://h", "t/../x", "a b?c#d")).toBe("http://h/t%2F..%2Fx/a%20b%3Fc%23d/index.m3u8");
});
