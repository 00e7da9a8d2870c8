import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { attributeText, hlsSnippet, playRecipes, scriptText } from "./play-recipes.ts";
import { firstPublishCommand, gstValue, publishRecipes, type Recipe } from "./publish-recipes.ts";

const NONE = { rtsp: null, rtsps: null, whip: null, whep: null, page: null, rtmp: null, srt: null, hls: null };
const ALL = {
	rtsp: "rtsp://[2001:db8::1]:8554/site/cam-1.x",
	rtsps: "rtsps://[2001:db8::1]:8322/site/cam-1.x",
	whip: "https://[2001:db8::1]:8889/site/cam-1.x/whip",
	whep: "https://[2001:db8::1]:8889/site/cam-1.x/whep",
	page: "https://[2001:db8::1]:8889/site/cam-1.x/",
	rtmp: "rtmp://[2001:db8::1]:1935/site/cam-1.x",
	srt: "srt://[2001:db8::1]:8890?streamid=publish:site/cam-1.x",
	hls: "https://tv.example/aa.bb.cc/site/cam-1.x/index.m3u8",
};

/** The words that a shell makes of a command. */
function wordsOf(command: string): string[] {
	const text = execFileSync("sh", ["-c", `set -- ${command}; printf '%s\\n' "$@"`], { encoding: "utf8" });
	return text.split("\n").slice(0, -1);
}

function recipe(recipes: readonly Recipe[], id: string): Recipe {
	const found = recipes.find((one) => one.id === id);
	if (found === undefined) throw new Error(`There is no recipe ${id}`);
	return found;
}

describe("publishRecipes", () => {
	test("has nothing for a node that serves nothing", () => {
		expect(publishRecipes(NONE, "k")).toEqual([]);
		expect(firstPublishCommand(NONE, "k")).toBeNull();
	});

	test("names only what the node serves", () => {
		const tools = publishRecipes({ ...NONE, rtsp: ALL.rtsp }, "k").map(({ id }) => id);
		expect(tools).toEqual(["ffmpeg-test", "ffmpeg-file", "gst-rtsp"]);
	});

	test("falls back to RTSP over TLS", () => {
		expect(wordsOf(firstPublishCommand({ rtsp: null, rtsps: ALL.rtsps }, "k") ?? "").at(-1)).toBe(
			"rtsps://[2001:db8::1]:8322/site/cam-1.x?token=k",
		);
	});

	test("gives shells the whole address, whatever is in it", () => {
		const recipes = publishRecipes(ALL, "k'$(id)&x");
		const ofId = (id: string) => wordsOf(recipe(recipes, id).text).at(-1);
		const query = "token=k'%24(id)%26x";
		expect(ofId("ffmpeg-test")).toBe(`${ALL.rtsp}?${query}`);
		expect(ofId("gst-rtsp")).toBe(`location=${ALL.rtsp}?${query}`);
		expect(ofId("ffmpeg-srt")).toBe(`${ALL.srt}:key:k'%24(id)%26x`);
		expect(ofId("ffmpeg-rtmp")).toBe(`${ALL.rtmp}?${query}`);
		expect(wordsOf(recipe(recipes, "curl-whip").text)).toContain("authorization: Bearer k'$(id)&x");
	});

	test("gives OBS the fields of WHIP and of RTMP", () => {
		const recipes = publishRecipes(ALL, "k1");
		expect(recipe(recipes, "obs-whip-server").text).toBe(ALL.whip);
		expect(recipe(recipes, "obs-whip-token").text).toBe("k1");
		expect(recipe(recipes, "obs-rtmp-server").text).toBe("rtmp://[2001:db8::1]:1935");
		expect(recipe(recipes, "obs-rtmp-key").text).toBe("site/cam-1.x?token=k1");
	});
});

describe("playRecipes", () => {
	test("has nothing for a node that serves nothing", () => {
		expect(playRecipes(NONE, "k")).toEqual([]);
	});

	test("gives shells the whole address", () => {
		const recipes = playRecipes({ ...ALL, hls: "https://tv.example/t/cam/index.m3u8?start=1&end=2" }, "k");
		expect(wordsOf(recipe(recipes, "ffplay-hls").text).at(-1)).toBe(
			"https://tv.example/t/cam/index.m3u8?start=1&end=2",
		);
		expect(wordsOf(recipe(recipes, "ffplay-rtsp").text).at(-1)).toBe(`${ALL.rtsp}?token=k`);
	});

	test("each recipe has an id of its own", () => {
		const ids = [...playRecipes(ALL, "k"), ...publishRecipes(ALL, "k")].map(({ id }) => id);
		expect(new Set(ids).size).toBe(ids.length);
	});
});

test("a snippet cannot be left by what the address has in it", () => {
	const nasty = `https://h/"</script><script>alert(1)</script>`;
	expect(hlsSnippet(nasty).match(/<\/script>/g)).toHaveLength(1);
	expect(JSON.parse(scriptText(nasty))).toBe(nasty);
	expect(attributeText(`a"b&c<d`)).toBe("a&quot;b&amp;c&lt;d");
});

test("a value with spaces or quotes is quoted for gst-launch too", () => {
	expect(gstValue("auth-token", 'a b"c\\')).toBe('auth-token="a b\\"c\\\\"');
	expect(gstValue("location", "rtsp://[::1]/a?b=c")).toBe("location=rtsp://[::1]/a?b=c");
});
