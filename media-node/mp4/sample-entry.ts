import { ProtocolError } from "#shared/problem.ts";
import type { ByteWriter } from "../bytes/byte-writer.ts";
import { parseAudioSpecificConfig } from "../codecs/aac.ts";
import { parseAv1SequenceHeader } from "../codecs/av1-sequence.ts";
import type { Codec } from "../codecs/codec.ts";
import { parseH264Sps } from "../codecs/h264.ts";
import { parseH265Sps } from "../codecs/h265.ts";
import { OPUS_CLOCK_RATE } from "../codecs/opus.ts";
import { vp9Configuration } from "../codecs/vp9-configuration.ts";
import { av1C, avcC, dOps, esds, hvcC, vpcC } from "./decoder-config.ts";

/** What a sample description says of a track, and how it is written. */
export type SampleEntry = VideoSampleEntry | AudioSampleEntry;

export type VideoSampleEntry = {
	readonly kind: "video";
	readonly width: number;
	readonly height: number;
	/** Frames per second; `null` when the parameter sets do not say. */
	readonly frameRate: number | null;
	readonly write: (w: ByteWriter) => void;
};

export type AudioSampleEntry = {
	readonly kind: "audio";
	/** Of what comes out of the decoder, as far as it is told. */
	readonly channels: number;
	readonly sampleRate: number;
	readonly write: (w: ByteWriter) => void;
};

/**
 * The sample entry of a codec; `null` while its parameter sets are not known.
 *
 * @throws ProtocolError `media.unsupported`: we put no such codec into MP4. `bytes.truncated`, `bytes.malformed`: the
 * parameter sets are of no use
 */
export function sampleEntryOf(codec: Codec): SampleEntry | null {
	switch (codec.name) {
		case "H264": {
			const { sps, pps } = codec;
			if (sps === null || pps === null) return null;
			const info = parseH264Sps(sps);
			return videoEntry("avc1", info, (w) => avcC(w, info, sps, pps));
		}
		case "H265": {
			const { vps, sps, pps } = codec;
			if (vps === null || sps === null || pps === null) return null;
			const info = parseH265Sps(sps);
			return videoEntry("hvc1", info, (w) => hvcC(w, info, vps, sps, pps));
		}
		case "AV1": {
			const { sequenceHeader } = codec;
			if (sequenceHeader === undefined) return null;
			const info = parseAv1SequenceHeader(sequenceHeader);
			return videoEntry("av01", info, (w) => av1C(w, info, sequenceHeader));
		}
		case "VP9": {
			const { picture } = codec;
			if (picture === undefined) return null;
			const info = vp9Configuration(picture);
			return videoEntry("vp09", { ...picture, frameRate: null }, (w) => vpcC(w, info));
		}
		case "MPEG-4 Audio": {
			const { config } = codec;
			const { channels, sampleRate, extension } = parseAudioSpecificConfig(config);
			const info = {
				channels: extension?.parametricStereo === true ? 2 : channels,
				sampleRate: extension?.sampleRate ?? sampleRate,
			};
			return audioEntry("mp4a", info, (w) => esds(w, config));
		}
		case "Opus": {
			const { channels } = codec;
			if (channels !== 1 && channels !== 2) {
				throw new ProtocolError("media.unsupported", `Opus of ${channels} channels is not supported; use 1 or 2`);
			}
			return audioEntry("Opus", { channels, sampleRate: OPUS_CLOCK_RATE }, (w) => dOps(w, channels, OPUS_CLOCK_RATE));
		}
		default:
			throw new ProtocolError(
				"media.unsupported",
				`${codec.name} is not carried in MP4; use H264, H265, VP9, AV1, AAC or Opus`,
			);
	}
}

/** Visual Sample Entry, ISO 14496-12 §12.1.3. */
function videoEntry(
	type: string,
	{ width, height, frameRate }: Pick<VideoSampleEntry, "width" | "height" | "frameRate">,
	config: (w: ByteWriter) => void,
): VideoSampleEntry {
	const write = (w: ByteWriter) =>
		w.box(type, () => {
			w.zeros(6); // reserved
			w.u16(1); // data_reference_index
			w.zeros(16); // pre_defined, reserved
			w.u16(width);
			w.u16(height);
			w.u32(0x0048_0000); // horizresolution: 72 dpi
			w.u32(0x0048_0000); // vertresolution
			w.u32(0); // reserved
			w.u16(1); // frame_count
			w.zeros(32); // compressorname
			w.u16(0x18); // depth: colour without alpha
			w.u16(0xffff); // pre_defined
			config(w);
		});
	return { kind: "video", width, height, frameRate, write };
}

/** Audio Sample Entry, ISO 14496-12 §12.2.3. */
function audioEntry(
	type: string,
	{ channels, sampleRate }: Pick<AudioSampleEntry, "channels" | "sampleRate">,
	config: (w: ByteWriter) => void,
): AudioSampleEntry {
	const write = (w: ByteWriter) =>
		w.box(type, () => {
			w.zeros(6); // reserved
			w.u16(1); // data_reference_index
			w.zeros(8); // reserved
			w.u16(channels); // channelcount
			w.u16(16); // samplesize
			w.u32(0); // pre_defined, reserved
			w.u16(sampleRate <= 0xffff ? sampleRate : 0); // samplerate, 16.16: higher ones do not fit
			w.u16(0);
			config(w);
		});
	return { kind: "audio", channels, sampleRate, write };
}
