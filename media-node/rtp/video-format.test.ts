import { expect, test } from "vitest";
import { bytesOfHex } from "../../test/support/hex.ts";
import type { Codec } from "../codecs/codec.ts";
import { describeCodec, formatOf } from "./format.ts";

const CONFIG = "000001B0F5000001B509000001000000012000C488";

test.each<[string, Codec]>([
	["AV1", { name: "AV1" }],
	["VP9", { name: "VP9" }],
	["VP8", { name: "VP8" }],
	["MPV", { name: "MPEG-1/2 Video" }],
	["JPEG", { name: "M-JPEG" }],
	["MP4V-ES", { name: "MPEG-4 Video", config: null }],
])("%s is known at 90 kHz, in capitals or not, and described as that again", (name, codec) => {
	const encoding = `${name}/90000`;
	expect(formatOf({ payloadType: 96, rtpmap: encoding, fmtp: "" })).toEqual({ codec, clockRate: 90_000, encoding });
	expect(formatOf({ payloadType: 96, rtpmap: encoding.toLowerCase(), fmtp: "profile=0" })?.codec).toEqual(codec);
	expect(describeCodec(codec, 90_000)).toEqual({ encoding, fmtp: "" });
	expect(formatOf({ payloadType: 96, rtpmap: `${name}/48000`, fmtp: "" })?.codec).toEqual({ name: "Generic" });
});

test("M-JPEG and MPEG-1/2 Video have payload types that need no map", () => {
	expect(formatOf({ payloadType: 26, rtpmap: null, fmtp: "" })?.codec).toEqual({ name: "M-JPEG" });
	expect(formatOf({ payloadType: 32, rtpmap: null, fmtp: "" })?.codec).toEqual({ name: "MPEG-1/2 Video" });
});

test("the configuration of MPEG-4 Video is in its parameters", () => {
	const codec: Codec = { name: "MPEG-4 Video", config: bytesOfHex(CONFIG) };
	const fmtp = `profile-level-id=245; config=${CONFIG}`;
	expect(describeCodec(codec, 90_000)).toEqual({ encoding: "MP4V-ES/90000", fmtp });
	expect(formatOf({ payloadType: 96, rtpmap: "MP4V-ES/90000", fmtp })?.codec).toEqual(codec);
	const without = { ...codec, config: bytesOfHex("0000012000") };
	expect(describeCodec(without, 90_000)?.fmtp).toBe("profile-level-id=1; config=0000012000");
});

test("a configuration that is not hexadecimal digits is not known", () => {
	for (const config of ["xyz", "123", ""]) {
		const { codec } = formatOf({ payloadType: 96, rtpmap: "MP4V-ES/90000", fmtp: `config=${config}` })!;
		expect(codec).toEqual({ name: "MPEG-4 Video", config: null });
	}
});
