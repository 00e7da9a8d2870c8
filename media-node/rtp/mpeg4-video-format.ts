import { u8 } from "../bytes/big-endian.ts";
import type { Mpeg4VideoCodec } from "../codecs/codec.ts";
import { MPEG4_START_CODE } from "../codecs/mpeg4-video.ts";
import { START_CODE_BYTES, startCodeAt } from "../codecs/start-code.ts";
import { bytesOfHex, parseFmtp } from "./fmtp.ts";

/** The codec of an `a=fmtp`; the configuration may also come with the key frames. RFC 6416 §7.1. */
export function mpeg4VideoOf(fmtp: string): Mpeg4VideoCodec {
	return { name: "MPEG-4 Video", config: bytesOfHex(parseFmtp(fmtp).get("config") ?? "") };
}

/** The `a=fmtp`. The profile and level are what the visual object sequence header says, ISO 14496-2 §6.2.2. */
export function describeMpeg4Video({ config }: Mpeg4VideoCodec): string {
	if (config === null) return "";
	const hasProfile = startCodeAt(config, 0, config.length) === MPEG4_START_CODE.visualObjectSequence;
	const profile = hasProfile && config.length > START_CODE_BYTES ? u8(config, START_CODE_BYTES) : UNKNOWN_PROFILE;
	const hex = Buffer.from(config.buffer, config.byteOffset, config.length).toString("hex").toUpperCase();
	return `profile-level-id=${profile}; config=${hex}`;
}

/** RFC 6416 §7.1: simple profile, level 1, when nothing is said. */
const UNKNOWN_PROFILE = 1;
