import { expect, it } from "vitest";
import { isForwardBuilt, isSourceBuilt, withoutCredentials } from "./source.ts";

it.each([
	["rtsp://u:p@host/x?channel=1", "rtsp://host/x?…"],
	["rtsp://host:554/cam@1", "rtsp://host:554/cam@1"],
	["rtsp://[::1]:554/x", "rtsp://[::1]:554/x"],
	["udp+rtp://:$G1", "udp+rtp://:$G1"],
	["rtsp://host/cam?user=admin&password=hunter2&channel=1", "rtsp://host/cam?…"],
	["rtsp://host/user=admin&password=hunter2&stream=0.sdp", "rtsp://host/user=admin&password=…&stream=0.sdp"],
	["rtsp://host/user=admin_password=hunter2_channel=1.sdp", "rtsp://host/user=admin_password=…"],
	["rtsp://host/user=admin&password=hun/ter?2", "rtsp://host/user=admin&password=…?…"],
	["rtmp://user:p@hunter2@x/y", "rtmp://x/y"],
	["rtsp://user:p/hunter2@x/y", "rtsp://x/y"],
	["rtsp://user:p?hunter2@x/y", "rtsp://x/y?…"],
	["srt://x:1?passphrase=hunter2", "srt://x:1?…"],
	["rtmp://x/app#hunter2", "rtmp://x/app"],
	["rtsp:/user:hunter2@x/y", "…@x/y"],
	["whep://u:p@host/x/whep?jwt=secret", "whep://host/x/whep?…"],
	["whips://host/x/whip?token=secret#key", "whips://host/x/whip?…"],
	["~^a?b", "~^a?b"],
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
