import { expect, it } from "vitest";
import { isForwardBuilt, isSourceBuilt, withoutCredentials } from "./source.ts";

it.each([
	["rtsp://u:p@host/x?channel=1", "rtsp://host/x?channel=1"],
	["whep://u:p@host/x/whep?jwt=secret", "whep://host/x/whep"],
	["whips://host/x/whip?token=secret#key", "whips://host/x/whip"],
	["publisher", "publisher"],
])("shows %s as %s", (source, shown) => {
	expect(withoutCredentials(source)).toBe(shown);
});

it("knows which sources and destinations this version serves", () => {
	expect(["rtsp://h", "whep://h", "wheps://h", "publisher"].every(isSourceBuilt)).toBe(true);
	expect(["rtmp://h", "srt://h:1", "rpiCamera"].some(isSourceBuilt)).toBe(false);
	expect(["rtsp://h", "rtsps://h", "whip://h", "whips://h"].every(isForwardBuilt)).toBe(true);
	expect(["rtmp://h", "rtmps://h", "srt://h:1"].some(isForwardBuilt)).toBe(false);
});
