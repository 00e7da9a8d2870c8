import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { LossyUdp } from "../support/lossy-udp.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { WebRtcBrowser, type WebRtcPage } from "../support/webrtc-browser.ts";

const THIN = 350_000;

describe("a browser that publishes its picture in three sizes", () => {
	const stack = new AsyncDisposableStack();
	let sluice: Sluice;
	let link: LossyUdp;

	beforeAll(async () => {
		const folder = stack.use(await tempDir());
		sluice = stack.use(await Sluice.start({ folder: folder.path }));
		link = stack.use(await LossyUdp.open({ target: sluice.ports.ice, loss: 0, seed: 1, bitrate: THIN }));
	}, 60_000);
	afterAll(() => stack.disposeAsync());

	it.each(["VP8", "H264"])(
		"gives each viewer of %s the one that its network carries",
		async (codec) => {
			const path = `sizes-${codec.toLowerCase()}`;
			link.bitrate = THIN;
			await using near = await WebRtcBrowser.start();
			await using far = await WebRtcBrowser.start(link.port);
			await near.publish(sluice.webrtc(path), codec, async (page) => {
				await page.check("#simulcast");
				await page.selectOption("#height", "720");
				await page.fill("#bitrate", "1200");
			});
			await sluice.ready(path, 30_000);

			const wide = await near.play(sluice.webrtc(path));
			const longer = { timeoutMs: 60_000, everyMs: 250 };
			await eventually("the full picture is shown", async () => (await heightOf(wide)) >= 700, longer);
			const thin = await far.play(sluice.webrtc(path));
			// The browser changes all sizes together when it has too much to do.
			const isHalf = async () => {
				const [height, full] = [await heightOf(thin), await heightOf(wide)];
				return height > 0 && height <= full / 2;
			};
			await eventually("the thin network gets a smaller one", isHalf, longer);
			await thin.decoded(60);
			expect(await isHalf()).toBe(true);

			link.bitrate = 20_000_000;
			const isFull = async () => (await heightOf(thin)) === (await heightOf(wide));
			await eventually("it gets the full one when it is no longer thin", isFull, longer);
		},
		240_000,
	);
});

/** Of the picture that the page shows; 0 before the first one. */
function heightOf({ page }: WebRtcPage): Promise<number> {
	// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
	return page.evaluate(() => (globalThis as any).document.querySelector("video").videoHeight as number);
}
