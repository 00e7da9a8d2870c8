/** Opus counts time in samples at 48 kHz, whatever it was made from: RFC 7587 §4.1. */
export const OPUS_CLOCK_RATE = 48_000;

/** RFC 6716 §3.2.5: no packet is longer than 120 ms. */
const MAX_PACKET_SAMPLES = 5_760;
/** Samples of a frame of each configuration, RFC 6716 table 2: SILK, hybrid, CELT. */
const SILK_SAMPLES = [480, 960, 1920, 2880] as const;
const HYBRID_SAMPLES = [480, 960] as const;
const CELT_SAMPLES = [120, 240, 480, 960] as const;

/** How long a packet lasts, in samples at 48 kHz; 0 when it is malformed. Never throws. RFC 6716 §3.1. */
export function opusSamples(packet: Uint8Array): number {
	const toc = packet[0];
	if (toc === undefined) return 0;
	const config = toc >> 3;
	const frame =
		(config < 12 ? SILK_SAMPLES[config & 3] : config < 16 ? HYBRID_SAMPLES[config & 1] : CELT_SAMPLES[config & 3]) ?? 0;
	const code = toc & 3;
	const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 0x3f;
	const samples = frame * frames;
	return samples <= MAX_PACKET_SAMPLES ? samples : 0;
}
