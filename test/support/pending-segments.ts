import type { PendingSegment } from "#shared/timeline/pending-segment.ts";

/** A segment of 2 s of video and sound that is not in the bucket yet. `fill` is what each of its bytes is. */
export function pendingSegment(startMs: number, { fill = 0, videoBytes = 1_000 } = {}): PendingSegment {
	const init = new Uint8Array(20).fill(1);
	return {
		startMs,
		discontinuity: false,
		parts: [
			{
				rendition: { id: "v0", kind: "video", codecs: "avc1.64001f", width: 640, height: 360 },
				...{ init, initHash: "0a", duration: 2, bytes: new Uint8Array(videoBytes).fill(fill) },
			},
			{
				rendition: { id: "a0", kind: "audio", codecs: "mp4a.40.2", channels: 2 },
				...{ init, initHash: "0b", duration: 2, bytes: new Uint8Array(10).fill(fill) },
			},
		],
	};
}
