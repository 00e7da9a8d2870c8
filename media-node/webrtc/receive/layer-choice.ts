/** What is known of an encoding of a track, to choose the one that readers get. */
export type LayerRate = {
	/** Bits per second over the last second. */
	readonly bitrate: number;
	/** Since its last packet. */
	readonly silentMs: number;
};

/** An encoding that was silent for this long is not sent any more. */
export const LAYER_SILENT_MS = 1_000;
/** Another one is better when its rate is higher by this factor: rates go up and down. */
const BETTER = 1.25;

/**
 * The place of the encoding that is best: the one of the highest rate, as the order of `a=simulcast` says nothing. The
 * present one stays unless another is clearly better, or it fell silent. -1: none is there, stay.
 */
export function chooseLayer(layers: readonly LayerRate[], present: number): number {
	let best = -1;
	for (const [i, layer] of layers.entries()) {
		if (layer.silentMs >= LAYER_SILENT_MS || layer.bitrate <= 0) continue;
		if (best === -1 || layer.bitrate > (layers[best]?.bitrate ?? 0)) best = i;
	}
	const now = layers[present];
	if (best === -1 || now === undefined || now.silentMs >= LAYER_SILENT_MS) return best;
	return (layers[best]?.bitrate ?? 0) > now.bitrate * BETTER ? best : present;
}
