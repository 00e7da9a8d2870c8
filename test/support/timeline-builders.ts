/** Records and segments for tests of the timeline. */

import type { Rendition } from "#shared/timeline/record.ts";
import type { CommitContext, TimelineEvent, UploadedPart, UploadedSegment } from "#shared/timeline/window.ts";

export const VIDEO = {
	id: "v0",
	kind: "video",
	codecs: "avc1.64001f",
	width: 1280,
	height: 720,
	frameRate: 25,
} as const;
export const AUDIO = { id: "a0", kind: "audio", codecs: "mp4a.40.2", channels: 2, sampleRate: 48_000 } as const;

export const START_MS = Date.UTC(2026, 0, 1);

type PartInput = Partial<Omit<UploadedPart, "rendition">> & {
	rendition?: Omit<Rendition, "bandwidth" | "averageBandwidth">;
};

/** A segment with the given renditions, 2 s of 250 kB if nothing else is said. `serial` names its files. */
export function uploadedSegment(
	serial: number,
	{ discontinuity = false, startMs = START_MS + serial * 2000, parts = [{}] as readonly PartInput[] } = {},
): UploadedSegment {
	return {
		startMs,
		discontinuity,
		parts: parts.map(({ rendition = VIDEO, ...more }) => ({
			rendition,
			file: `000000000001-${String(serial).padStart(12, "0")}-${rendition.id}.m4s`,
			init: `init-000000000001-000000000000-${rendition.id}.mp4`,
			duration: 2,
			bytes: 250_000,
			...more,
		})),
	};
}

export const segmentEvent = (...args: Parameters<typeof uploadedSegment>): TimelineEvent => ({
	kind: "segment",
	segment: uploadedSegment(...args),
});

export function commitContext(more: Partial<CommitContext> = {}): CommitContext {
	return {
		epoch: 1,
		writer: "w",
		previousHash: "",
		committedMs: START_MS,
		segmentCount: 3,
		minimumTargetDuration: 2,
		...more,
	};
}
