import { randomInt } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { framesSeen, longestGapMs, watchFrames } from "../support/frame-watch.ts";
import { LossyUdp } from "../support/lossy-udp.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { WebRtcBrowser } from "../support/webrtc-browser.ts";

const LOSS = 0.05;
const RUN_SECONDS = 60;
/** A picture that stands still for longer is a freeze. */
const MAX_GAP_MS = 500;

/** What the newest connection of a page counts of its video. */
type VideoCount = {
	readonly seconds: number;
	readonly encoded: number;
	readonly decoded: number;
	readonly freezes: number;
	readonly nacks: number;
	readonly resent: number;
};

describe("WebRTC with Chromium over a link that loses packets", () => {
	const stack = new AsyncDisposableStack();
	const seed = randomInt(2 ** 32);
	let sluice: Sluice;
	let browser: WebRtcBrowser;
	let link: LossyUdp;

	beforeAll(async () => {
		const folder = stack.use(await tempDir());
		sluice = stack.use(await Sluice.start({ folder: folder.path }));
		link = stack.use(await LossyUdp.open({ target: sluice.ports.ice, loss: LOSS, seed }));
		browser = stack.use(await WebRtcBrowser.start(link.port));
	}, 60_000);
	afterAll(() => stack.disposeAsync());

	// Which packets are lost is by chance: a key frame may be so unlucky that nothing mends it in time.
	const chance = { timeout: 180_000, retry: 2 };
	it(`plays for a minute without a freeze with 5 % lost each way, seed ${seed}`, chance, async () => {
		const publisher = await browser.publish(sluice.webrtc("lossy"), "VP8");
		await sluice.ready("lossy", 30_000);
		const viewer = await browser.play(sluice.webrtc("lossy"));
		await viewer.decoded(30);
		await watchFrames(viewer.page);
		const [sentBefore, gotBefore] = await Promise.all([videoOf(publisher.page), videoOf(viewer.page)]);
		await eventually(
			`${RUN_SECONDS} s went by`,
			async () => (await videoOf(viewer.page)).seconds - gotBefore.seconds > RUN_SECONDS,
			{ timeoutMs: 1.5 * RUN_SECONDS * 1_000, everyMs: 500 },
		);
		const [sent, got] = await Promise.all([videoOf(publisher.page), videoOf(viewer.page)]);
		const seen = await framesSeen(viewer.page);
		const figures = JSON.stringify({
			seed,
			seen,
			sentBefore,
			sent,
			gotBefore,
			got,
			toNode: link.toNode,
			toPeers: link.toPeers,
		});
		expect(link.toNode.lost, figures).toBeGreaterThan(20);
		expect(link.toPeers.lost, figures).toBeGreaterThan(20);
		const encoded = sent.encoded - sentBefore.encoded;
		expect(encoded, figures).toBeGreaterThan(5 * RUN_SECONDS);
		expect(got.decoded - gotBefore.decoded, figures).toBeGreaterThan(0.6 * encoded);
		// The node asked the publisher, which sent again; and the viewer asked the node, which sent again.
		expect(Math.min(sent.nacks, sent.resent, got.nacks, got.resent), figures).toBeGreaterThan(5);
		expect(longestGapMs(seen), figures).toBeLessThan(MAX_GAP_MS);
	});
});

function videoOf(page: Page): Promise<VideoCount> {
	return page.evaluate(async () => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const report = new Map<string, any>(await (globalThis as any).connections.at(-1).getStats());
		const video = [...report.values()].find(
			({ type, kind }) => (type === "inbound-rtp" || type === "outbound-rtp") && kind === "video",
		);
		return {
			seconds: video.timestamp / 1_000,
			encoded: video.framesEncoded ?? 0,
			decoded: video.framesDecoded ?? 0,
			freezes: video.freezeCount ?? 0,
			nacks: video.nackCount ?? 0,
			resent: video.retransmittedPacketsSent ?? video.retransmittedPacketsReceived ?? 0,
		};
	});
}
