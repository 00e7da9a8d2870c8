import { ProtocolError } from "#shared/problem.ts";
import { ByteReader } from "../../bytes/byte-reader.ts";
import type { Codec } from "../../codecs/codec.ts";
import { withParameterSets } from "../../codecs/parameter-sets.ts";
import { parseEsds } from "./elementary-descriptor.ts";
import type { SampleLayout } from "./sample-description.ts";

type VideoCodec = { readonly codec: Codec; readonly layout: SampleLayout };
/** The body of a box within the sample entry. */
type Child = (type: string) => Uint8Array | null;

const WHOLE: SampleLayout = { kind: "whole" };

/**
 * What a visual sample entry says; `null` for a codec that is not carried further.
 *
 * @throws ProtocolError `bytes.truncated`, `bytes.malformed`
 */
export function videoCodecOf(type: string, child: Child): VideoCodec | null {
	switch (type) {
		case "avc1":
		case "avc3":
			return avc(child("avcC"));
		case "hvc1":
		case "hev1":
			return hevc(child("hvcC"));
		case "av01":
			return { codec: { name: "AV1" }, layout: { kind: "obu" } };
		case "vp09":
			return { codec: { name: "VP9" }, layout: WHOLE };
		case "vp08":
			return { codec: { name: "VP8" }, layout: WHOLE };
		case "mp4v":
			return mpeg4(child("esds"));
		case "jpeg":
		case "mjpg":
			return { codec: { name: "M-JPEG" }, layout: WHOLE };
		default:
			return null;
	}
}

/** AVCDecoderConfigurationRecord, ISO 14496-15 §5.3.3.1.2. */
function avc(body: Uint8Array | null): VideoCodec {
	if (body === null) throw new ProtocolError("bytes.malformed", "The MP4 file has H.264 without an avcC box");
	const r = new ByteReader(body);
	r.skip(4); // version, profile, compatibility, level
	const lengthBytes = (r.u8() & 3) + 1;
	const nals: Uint8Array[] = [];
	for (let count = r.u8() & 0x1f; count > 0; count--) nals.push(r.bytes(r.u16()));
	for (let count = r.u8(); count > 0; count--) nals.push(r.bytes(r.u16()));
	const codec = withParameterSets({ name: "H264", sps: null, pps: null } as const, nals);
	return { codec, layout: { kind: "nal", lengthBytes } };
}

/** Bytes of an HEVCDecoderConfigurationRecord up to `lengthSizeMinusOne`, ISO 14496-15 §8.3.3.1.2. */
const HVCC_FIXED_BYTES = 21;
const MAX_PARAMETER_SETS = 64;

function hevc(body: Uint8Array | null): VideoCodec {
	if (body === null) throw new ProtocolError("bytes.malformed", "The MP4 file has H.265 without an hvcC box");
	const r = new ByteReader(body);
	r.skip(HVCC_FIXED_BYTES);
	const lengthBytes = (r.u8() & 3) + 1;
	const nals: Uint8Array[] = [];
	for (let arrays = r.u8(); arrays > 0; arrays--) {
		r.skip(1); // array_completeness, NAL_unit_type
		for (let count = r.u16(); count > 0; count--) {
			nals.push(r.bytes(r.u16()));
			if (nals.length > MAX_PARAMETER_SETS) {
				throw new ProtocolError("bytes.limit", `The MP4 file has more than ${MAX_PARAMETER_SETS} parameter sets`);
			}
		}
	}
	const codec = withParameterSets({ name: "H265", vps: null, sps: null, pps: null } as const, nals);
	return { codec, layout: { kind: "nal", lengthBytes } };
}

/** Values of `objectTypeIndication`, ISO 14496-1 table 5. */
const MPEG4_VISUAL = 0x20;
const FIRST_MPEG2_VISUAL = 0x60;
const LAST_MPEG2_VISUAL = 0x65;
const MPEG1_VISUAL = 0x6a;
const JPEG = 0x6c;

function mpeg4(esds: Uint8Array | null): VideoCodec | null {
	const config = esds === null ? null : parseEsds(esds);
	if (config === null) return null;
	const { objectType, specific } = config;
	if (objectType === MPEG4_VISUAL) {
		return { codec: { name: "MPEG-4 Video", config: specific.length === 0 ? null : specific }, layout: WHOLE };
	}
	if ((objectType >= FIRST_MPEG2_VISUAL && objectType <= LAST_MPEG2_VISUAL) || objectType === MPEG1_VISUAL) {
		return { codec: { name: "MPEG-1/2 Video" }, layout: WHOLE };
	}
	return objectType === JPEG ? { codec: { name: "M-JPEG" }, layout: WHOLE } : null;
}
