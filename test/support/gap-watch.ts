/** How long nothing new came: to the playlist, and to a viewer's screen. */

import type { Page } from "playwright-core";

const SAMPLE_MS = 100;

/** The longest time without a new segment in the media playlist at `url`, from the call on. */
export class PlaylistWatch implements AsyncDisposable {
	longestMs = 0;
	/** Answers other than 200. */
	readonly failures: string[] = [];
	#last = 0;
	#lastMs = performance.now();
	#isOver = false;
	readonly #loop: Promise<void>;

	constructor(url: string) {
		this.#loop = this.#run(url);
	}

	/** The media sequence number of the newest segment. */
	get last(): number {
		return this.#last;
	}

	/** Begins to measure anew. */
	reset(): void {
		this.longestMs = 0;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#isOver = true;
		await this.#loop;
	}

	async #run(url: string): Promise<void> {
		while (!this.#isOver) {
			const response = await fetch(url);
			const text = await response.text();
			if (response.ok) this.#see(text);
			else this.failures.push(`${response.status} ${text}`);
			await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
		}
	}

	#see(text: string): void {
		const last = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]) + text.split("#EXTINF").length - 2;
		const nowMs = performance.now();
		if (this.#last > 0) this.longestMs = Math.max(this.longestMs, nowMs - this.#lastMs);
		if (last === this.#last) return;
		this.#last = last;
		this.#lastMs = nowMs;
	}
}

/** The longest time that the picture of the page's player stood still, from the call on, in milliseconds. */
export async function watchStalls(page: Page): Promise<() => Promise<number>> {
	await page.evaluate((sampleMs) => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const scope = globalThis as any;
		const video = scope.document.getElementById("video");
		scope.stallMs = 0;
		let [time, movedMs] = [video.currentTime, scope.performance.now()];
		scope.clearInterval(scope.stallTimer);
		scope.stallTimer = scope.setInterval(() => {
			const nowMs = scope.performance.now();
			scope.stallMs = Math.max(scope.stallMs, nowMs - movedMs);
			if (video.currentTime !== time) [time, movedMs] = [video.currentTime, nowMs];
		}, sampleMs);
	}, SAMPLE_MS);
	// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
	return () => page.evaluate(() => (globalThis as any).stallMs as number);
}
