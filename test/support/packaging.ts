import type { SluiceError } from "#shared/problem.ts";
import { ArenaPool } from "../../media-node/hls/arena-pool.ts";
import type { PackagedSegment } from "../../media-node/hls/open-segment.ts";
import { Packager } from "../../media-node/hls/packager.ts";

export type PackagingOptions = {
	readonly segmentDurationMs?: number;
	readonly pool?: ArenaPool;
	/** Whether the memory of segments is given back as soon as they were copied. */
	readonly release?: boolean;
};

/** A packager and all that came out of it. */
export class Packaging {
	readonly segments: PackagedSegment[] = [];
	readonly skipped: string[] = [];
	readonly keyFramesNeeded: number[] = [];
	readonly problems: SluiceError[] = [];
	readonly pool: ArenaPool;
	readonly packager: Packager;

	constructor({ segmentDurationMs = 2000, pool = new ArenaPool(), release = true }: PackagingOptions = {}) {
		this.pool = pool;
		this.packager = new Packager({
			segmentDurationMs,
			pool,
			onSegment: (segment) => {
				if (!release) {
					this.segments.push(segment);
					return;
				}
				const parts = segment.parts.map((part) => ({ ...part, bytes: part.bytes.slice() }));
				// Whoever still looked at the arena would see this.
				for (const { bytes } of segment.parts) bytes.fill(0xee);
				segment.release();
				this.segments.push({ ...segment, parts });
			},
			onKeyFrameNeeded: (track) => this.keyFramesNeeded.push(track),
			onSkippedTrack: (track, reason) => this.skipped.push(`${track.index}: ${reason}`),
			onProblem: (problem) => this.problems.push(problem),
		});
	}

	/** A rendition's parts, with the segments that they are of. */
	rendition(id: string): { segment: PackagedSegment; part: PackagedSegment["parts"][number] }[] {
		return this.segments.flatMap((segment) =>
			segment.parts.filter((part) => part.rendition.id === id).map((part) => ({ segment, part })),
		);
	}

	/** A rendition as one file; those of several init segments one after another. */
	files(id: string): Uint8Array[] {
		const files: Uint8Array[][] = [];
		let hash = "";
		for (const { part } of this.rendition(id)) {
			if (part.initHash !== hash) files.push([part.init]);
			hash = part.initHash;
			files.at(-1)?.push(part.bytes);
		}
		return files.map((pieces) => new Uint8Array(Buffer.concat(pieces)));
	}
}
