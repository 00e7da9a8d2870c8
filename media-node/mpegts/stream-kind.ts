import { readAc3Frame, readAdtsFrame, readMpegAudioFrame } from "./audio-frame.ts";
import { AudioParser } from "./audio-parser.ts";
import type { ElementaryParser } from "./elementary-parser.ts";
import { KlvParser } from "./klv-parser.ts";
import { latmReader } from "./latm-frame.ts";
import { Mpeg4VideoParser, Mpeg12VideoParser } from "./mpeg-video-parser.ts";
import { NalParser } from "./nal-parser.ts";
import { OpusParser } from "./opus-parser.ts";
import type { Descriptor, ElementaryStream } from "./program-table.ts";

/** `stream_type`, ISO 13818-1 table 2-34; the last is of ATSC A/53 part 3. */
const STREAM_TYPE = {
	mpeg1Video: 0x01,
	mpeg2Video: 0x02,
	mpeg1Audio: 0x03,
	mpeg2Audio: 0x04,
	privateData: 0x06,
	adts: 0x0f,
	mpeg4Video: 0x10,
	latm: 0x11,
	metadata: 0x15,
	h264: 0x1b,
	h265: 0x24,
	ac3: 0x81,
} as const;
/** `descriptor_tag`, ISO 13818-1 table 2-45 and ETSI EN 300 468 table 12. */
const DESCRIPTOR = { registration: 0x05, metadata: 0x26, ac3: 0x6a, extension: 0x7f } as const;
/** `descriptor_tag_extension` of the Opus audio descriptor. */
const OPUS_EXTENSION = 0x80;

/**
 * What makes access units of an elementary stream; `null` for one that is not carried further, such as SCTE-35 or
 * subtitles. `now` gives the time of the program in ticks of 1/90000 s.
 */
export function parserOf(
	{ streamType, descriptors }: ElementaryStream,
	now: () => number | null,
): ElementaryParser | null {
	switch (streamType) {
		case STREAM_TYPE.h264:
			return new NalParser("H264");
		case STREAM_TYPE.h265:
			return new NalParser("H265");
		case STREAM_TYPE.mpeg4Video:
			return new Mpeg4VideoParser();
		case STREAM_TYPE.mpeg1Video:
		case STREAM_TYPE.mpeg2Video:
			return new Mpeg12VideoParser();
		case STREAM_TYPE.adts:
			return new AudioParser(readAdtsFrame);
		case STREAM_TYPE.latm:
			return new AudioParser(latmReader());
		case STREAM_TYPE.mpeg1Audio:
		case STREAM_TYPE.mpeg2Audio:
			return new AudioParser(readMpegAudioFrame);
		case STREAM_TYPE.ac3:
			return new AudioParser(readAc3Frame);
		case STREAM_TYPE.metadata:
			return isKlv(descriptors) ? new KlvParser(true, now) : null;
		case STREAM_TYPE.privateData:
			return privateParser(descriptors, now);
		default:
			return null;
	}
}

/** Of private data the descriptors say what it is. */
function privateParser(descriptors: readonly Descriptor[], now: () => number | null): ElementaryParser | null {
	const registration = registrationOf(descriptors);
	if (registration === "Opus") {
		const channels = opusChannels(descriptors);
		return channels === null ? null : new OpusParser(channels);
	}
	if (registration === "KLVA") return new KlvParser(false, now);
	if (registration === "HEVC") return new NalParser("H265");
	if (registration === "AC-3" || descriptors.some(({ tag }) => tag === DESCRIPTOR.ac3)) {
		return new AudioParser(readAc3Frame);
	}
	return null;
}

/** `format_identifier`, ISO 13818-1 §2.6.8. */
function registrationOf(descriptors: readonly Descriptor[]): string | null {
	const body = descriptors.find(({ tag }) => tag === DESCRIPTOR.registration)?.body;
	return body === undefined || body.length < 4 ? null : latin1(body.subarray(0, 4));
}

/** Metadata that is KLV names itself so in its registration or metadata descriptor, MISB ST 1402 §9.4. */
function isKlv(descriptors: readonly Descriptor[]): boolean {
	if (registrationOf(descriptors) === "KLVA") return true;
	return descriptors.some(({ tag, body }) => tag === DESCRIPTOR.metadata && latin1(body).includes("KLVA"));
}

/** `channel_config_code` up to 8 is the number of channels of streams in the usual order; 0 is two that are apart. */
function opusChannels(descriptors: readonly Descriptor[]): number | null {
	const body = descriptors.find(
		({ tag, body: [kind] }) => tag === DESCRIPTOR.extension && kind === OPUS_EXTENSION,
	)?.body;
	const code = body?.[1];
	if (code === undefined || code > 8) return null;
	return code === 0 ? 2 : code;
}

function latin1(bytes: Uint8Array): string {
	return String.fromCharCode(...bytes);
}
