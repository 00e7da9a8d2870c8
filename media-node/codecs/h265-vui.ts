import type { BitReader } from "../bytes/bit-reader.ts";
import { expectAtMost } from "./video-limits.ts";

/**
 * Reads over what stands between the reordering and the video usability information of a sequence parameter set, ITU-T
 * H.265 §7.3.2.2.1. Says whether there is such information.
 */
export function skipToVui(r: BitReader, orderBits: number): boolean {
	for (let i = 0; i < 6; i++) r.ue(); // block sizes and transform depths
	if (r.flag() && r.flag()) skipScalingLists(r);
	r.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
	if (r.flag()) {
		r.skip(8); // pcm bit depths
		r.ue();
		r.ue();
		r.skip(1);
	}
	skipReferencePictureSets(r);
	if (r.flag()) {
		const longTerm = expectAtMost(32, r.ue(), "num_long_term_ref_pics_sps");
		r.skip(longTerm * (orderBits + 1));
	}
	r.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
	return r.flag();
}

/** ITU-T H.265 §7.3.4. */
function skipScalingLists(r: BitReader): void {
	for (let size = 0; size < 4; size++) {
		for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
			if (!r.flag()) {
				r.ue();
				continue;
			}
			if (size > 1) r.se();
			const coefficients = Math.min(64, 1 << (4 + (size << 1)));
			for (let i = 0; i < coefficients; i++) r.se();
		}
	}
}

/** ITU-T H.265 §7.3.7. A set may be told by its difference from the one before, of which only the length matters. */
function skipReferencePictureSets(r: BitReader): void {
	const sets = expectAtMost(64, r.ue(), "num_short_term_ref_pic_sets");
	let pictures = 0;
	for (let set = 0; set < sets; set++) {
		if (set > 0 && r.flag()) {
			r.skip(1); // delta_rps_sign
			r.ue();
			let kept = 0;
			for (let i = 0; i <= pictures; i++) if (r.flag() || r.flag()) kept++;
			pictures = expectAtMost(MAX_REFERENCES, kept, "NumDeltaPocs");
		} else {
			const negative = expectAtMost(MAX_REFERENCES, r.ue(), "num_negative_pics");
			const positive = expectAtMost(MAX_REFERENCES, r.ue(), "num_positive_pics");
			pictures = expectAtMost(MAX_REFERENCES, negative + positive, "NumDeltaPocs");
			for (let i = 0; i < pictures; i++) {
				r.ue();
				r.skip(1);
			}
		}
	}
}

const MAX_REFERENCES = 16;
const EXTENDED_SAR = 255;

/** Frames per second of the video usability information, ITU-T H.265 §E.2.1; `null` when it does not say. */
export function readFrameRate(r: BitReader): number | null {
	if (r.flag() && r.bits(8) === EXTENDED_SAR) r.skip(32);
	if (r.flag()) r.skip(1); // overscan_info
	if (r.flag()) {
		r.skip(4); // video_format, video_full_range_flag
		if (r.flag()) r.skip(24);
	}
	if (r.flag()) {
		r.ue(); // chroma_sample_loc_type
		r.ue();
	}
	r.skip(3); // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
	if (r.flag()) for (let i = 0; i < 4; i++) r.ue(); // default_display_window
	if (!r.flag()) return null;
	const unitsInTick = r.bits(32);
	const timeScale = r.bits(32);
	return unitsInTick > 0 && timeScale > 0 ? timeScale / unitsInTick : null;
}
