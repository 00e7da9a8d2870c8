import type { Page } from "playwright-core";

/** A time without a new picture, and how much of it no timer of the page could run. In ms, `atMs` since the watch began. */
export type PictureGap = { readonly atMs: number; readonly ms: number; readonly stalledMs: number };

export type FramesSeen = {
	/** Pictures that came to the screen. */
	readonly frames: number;
	readonly seconds: number;
	/** The longest gaps, the longest one first. */
	readonly gaps: readonly PictureGap[];
	/** What the connection counts since the watch began, as `inbound-rtp` of W3C's statistics. */
	readonly freezes: number;
	readonly freezeSeconds: number;
	readonly decoded: number;
};

const GAPS_KEPT = 10;
/** How often a timer of the page looks whether the machine lets it run. */
const WITNESS_MS = 20;

/** Begins to note when each picture of the page's player comes to the screen; forgets what it noted before. */
export async function watchFrames(page: Page): Promise<void> {
	await page.evaluate(async (witnessMs) => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const scope = globalThis as any;
		const video = scope.document.querySelector("video");
		const watch = { since: performance.now(), times: [] as number[], stalls: [] as number[][], before: {} };
		const isFirst = scope.frameWatch === undefined;
		scope.inboundVideo = async () => {
			const report = await scope.connections.at(-1).getStats();
			// biome-ignore lint/suspicious/noExplicitAny: see above
			return [...report.values()].find(({ type, kind }: any) => type === "inbound-rtp" && kind === "video") ?? {};
		};
		watch.before = await scope.inboundVideo();
		scope.frameWatch = watch;
		if (!isFirst) return;
		const note = (now: number) => {
			scope.frameWatch.times.push(now);
			video.requestVideoFrameCallback(note);
		};
		video.requestVideoFrameCallback(note);
		let last = performance.now();
		setInterval(() => {
			const now = performance.now();
			if (now - last > 2 * witnessMs) scope.frameWatch.stalls.push([last, now]);
			last = now;
		}, witnessMs);
	}, WITNESS_MS);
}

/** What was noted since {@link watchFrames}. */
export function framesSeen(page: Page): Promise<FramesSeen> {
	return page.evaluate(async (kept) => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const scope = globalThis as any;
		const { since, times, stalls, before } = scope.frameWatch as {
			since: number;
			times: number[];
			stalls: [number, number][];
			// biome-ignore lint/suspicious/noExplicitAny: see above
			before: any;
		};
		const now = performance.now();
		const marks = [since, ...times, now];
		const gaps = marks.slice(1).map((to, index) => {
			const from = marks[index] ?? to;
			const stalledMs = stalls.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from)), 0);
			return { atMs: Math.round(from - since), ms: Math.round(to - from), stalledMs: Math.round(stalledMs) };
		});
		const count = await scope.inboundVideo();
		return {
			frames: times.length,
			seconds: (now - since) / 1000,
			gaps: gaps.sort((a, b) => b.ms - a.ms).slice(0, kept),
			freezes: (count.freezeCount ?? 0) - (before.freezeCount ?? 0),
			freezeSeconds: (count.totalFreezesDuration ?? 0) - (before.totalFreezesDuration ?? 0),
			decoded: (count.framesDecoded ?? 0) - (before.framesDecoded ?? 0),
		};
	}, GAPS_KEPT);
}

/** The longest time without a new picture, in ms, but for what the machine did not let the page do. */
export function longestGapMs({ gaps }: FramesSeen): number {
	return Math.max(...gaps.map(({ ms, stalledMs }) => ms - stalledMs));
}
