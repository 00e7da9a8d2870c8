import { describe, expect, it } from "vitest";
import { labelOf } from "./field-label.ts";

describe("the label of a setting", () => {
	it.each([
		["source", "Source"],
		["hls", "HLS"],
		["hlsSegmentDuration", "HLS segment duration"],
		["sourceOnDemandStartTimeout", "Source on demand start timeout"],
		["runOnUnDemand", "Run on no demand"],
		["rtspUDPSourcePortRange", "RTSP UDP source port range"],
		["rtspGOPCache", "RTSP GOP cache"],
		["rtspDemuxMpegts", "RTSP demux MPEG-TS"],
		["rtpSDP", "RTP SDP"],
		["moqTransport", "MoQ transport"],
		["whepSTUNGatherTimeout", "WHEP STUN gather timeout"],
		["rpiCameraHFlip", "Camera horizontal flip"],
		["rpiCameraAWBGains", "Camera AWB gains"],
		["rpiCameraAfMode", "Camera autofocus mode"],
		["rpiCameraH264Profile", "Camera H264 profile"],
		["destFingerprint", "Destination fingerprint"],
		["whipBearerToken", "WHIP bearer token"],
		["muLaw", "Mu-law"],
	])("%s: %s", (key, label) => {
		expect(labelOf(key)).toBe(label);
	});
});
