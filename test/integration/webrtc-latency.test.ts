import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codedPictures, filmTheTime, msBetween, readTheTime } from "../support/coded-picture.ts";
import { eventually } from "../support/eventually.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { WebRtcBrowser } from "../support/webrtc-browser.ts";

/** Six seconds. */
const PICTURES = 180;

/** How late pictures are is for `npm run bench glass`. */
describe("pictures that show when they were drawn, by WHIP and WHEP", () => {
	const stack = new AsyncDisposableStack();
	let sluice: Sluice;
	let browser: WebRtcBrowser;

	beforeAll(async () => {
		const folder = stack.use(await tempDir());
		sluice = stack.use(await Sluice.start({ folder: folder.path }));
		browser = stack.use(await WebRtcBrowser.start());
	}, 60_000);
	afterAll(() => stack.disposeAsync());

	it.each(["H264", "VP8"])("come readable and in order: %s", async (codec) => {
		const publisher = await browser.publish(sluice.webrtc(codec), codec, filmTheTime);
		await sluice.ready(codec, 30_000);
		const viewer = await browser.play(sluice.webrtc(codec));
		await viewer.decoded(30);
		await readTheTime(viewer.page);
		const { pictures, unreadable } = await eventually(
			`${PICTURES} pictures were shown`,
			async () => {
				const read = await codedPictures(viewer.page);
				return read.pictures.length + read.unreadable >= PICTURES ? read : false;
			},
			{ timeoutMs: 40_000, everyMs: 500 },
		);
		await viewer.page.close();
		await publisher.page.close();
		expect(unreadable).toBe(0);
		const steps = pictures.slice(1).map(({ drawnAt }, at) => msBetween(pictures[at]?.drawnAt ?? 0, drawnAt));
		// The same picture may come to the screen twice, for the same drawing may be filmed twice.
		expect(steps.filter((ms) => ms < 0)).toEqual([]);
		expect(new Set(pictures.map(({ drawnAt }) => drawnAt)).size).toBeGreaterThan(0.9 * PICTURES);
	});
});
