import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { AAC_FRAME_TICKS, audioTrack, picture, sound, videoTrack } from "../../test/support/synthetic-units.ts";
import { ArenaPool } from "./arena-pool.ts";
import type { PackagedSegment } from "./open-segment.ts";
import { Packager } from "./packager.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What lives, in bytes, on the heap and in buffers. */
function usedBytes(): number {
	collectGarbage();
	collectGarbage();
	const { heapUsed, arrayBuffers } = process.memoryUsage();
	return heapUsed + arrayBuffers;
}

it("uses the same memory over hours of a stream", { timeout: 60_000 }, () => {
	const video = videoTrack(0);
	const audio = audioTrack(1);
	const pool = new ArenaPool();
	/** An upload takes as long as two segments. */
	const uploading: PackagedSegment[] = [];
	let segments = 0;
	const packager = new Packager({
		segmentDurationMs: 2000,
		pool,
		onSegment: (segment) => {
			segments++;
			uploading.push(segment);
			if (uploading.length > 2) uploading.shift()?.release();
		},
		onSkippedTrack: () => undefined,
		onKeyFrameNeeded: () => undefined,
		onProblem: () => undefined,
	});
	packager.begin([video, audio]);
	let frame = 0;
	let audioTicks = 0;
	const run = (seconds: number) => {
		for (const end = frame + seconds * 30; frame < end; frame++) {
			// From quiet to busy pictures and back, each ten minutes.
			const busy = 1 + Math.sin(frame / 2865);
			const key = frame % 60 === 0;
			packager.push(picture(video, frame, frame * 3000, { key, size: 500 + Math.round((key ? 8000 : 800) * busy) }));
			for (; audioTicks / 48_000 < frame / 30; audioTicks += AAC_FRAME_TICKS) {
				packager.push(sound(audio, 0, audioTicks, { size: 170 }));
			}
		}
	};
	run(1200);
	const made = pool.made;
	const before = usedBytes();
	run(4 * 3600);
	expect(usedBytes() - before).toBeLessThan(300_000);
	expect(pool.made).toBe(made);
	expect(segments).toBeGreaterThan(7700);
});
