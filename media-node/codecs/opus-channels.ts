/** How the streams of an Opus packet of several channels make these. */
export type OpusStreams = {
	readonly streams: number;
	/** How many of the streams are of two channels. */
	readonly coupled: number;
	/** The decoded channel that each channel is, in the order of Vorbis. */
	readonly mapping: readonly number[];
};

/** Mapping family 1 of RFC 7845 §5.1.1.2, by channels less 3, divided as libopus does: pairs are coupled. */
const FAMILY_1: readonly OpusStreams[] = [
	{ streams: 2, coupled: 1, mapping: [0, 2, 1] },
	{ streams: 2, coupled: 2, mapping: [0, 1, 2, 3] },
	{ streams: 3, coupled: 2, mapping: [0, 4, 1, 2, 3] },
	{ streams: 4, coupled: 2, mapping: [0, 4, 1, 2, 3, 5] },
	{ streams: 4, coupled: 3, mapping: [0, 4, 1, 2, 3, 5, 6] },
	{ streams: 5, coupled: 3, mapping: [0, 6, 1, 2, 3, 4, 5, 7] },
];

/** The streams of 3 to 8 channels; `null` for another number. */
export function opusStreamsOf(channels: number): OpusStreams | null {
	return FAMILY_1[channels - 3] ?? null;
}
