import { findVop, isIntraVop } from "../../codecs/mpeg4-video.ts";
import { startCodeAt } from "../../codecs/start-code.ts";
import type { PicturePayloadFormat } from "./picture-assembler.ts";

/**
 * RFC 6416 §5: the stream itself, cut into payloads without a header. A VOP, or the headers before it, begin with a
 * start code at the beginning of a payload; within a VOP there is none.
 */
export const MPEG4_VIDEO_PAYLOAD_FORMAT: PicturePayloadFormat = {
	headerBytes: () => 0,
	begins: (bytes, offset, length) => startCodeAt(bytes, offset, offset + length) >= 0,
	hasPicture: (bytes, offset, length) => findVop(bytes, offset, offset + length) < offset + length,
	isRandomAccess: (picture) => isIntraVop(picture, findVop(picture, 0, picture.length), picture.length),
};
