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
/** Each way. */
const DELAY_MS = 50;
/** A picture that stands still for longer is a freeze. */
const MAX_GAP_MS = 500;

/** What the newest connection of a page counts of its video. */
type FecCount = {
	readonly seconds: number;
	readonly packets: number;
	readonly frames: number;
	readonly bytes: number;
	readonly nacks: number;
	readonly resent: number;
	readonly fecPackets: number;
};

describe("forward error correction with Chromium", () => {
	const stack = new AsyncDisposableStack();
	const seed = randomInt(2 ** 32);
	let sluice: Sluice;
	let link: LossyUdp;

	beforeAll(async () => {
		const folder = stack.use(await tempDir());
		sluice = stack.use(await Sluice.start({ folder: folder.path }));
		link = stack.use(await LossyUdp.open({ target: sluice.ports.ice, loss: LOSS, seed, delayMs: DELAY_MS }));
	}, 60_000);
	afterAll(() => stack.disposeAsync());

	it.each([
		{ name: "FlexFEC", codec: "H264", without: "", seconds: 60 },
		{ name: "ULPFEC", codec: "VP8", without: "flexfec-03", seconds: 10 },
	])(
		`$name keeps a viewer of $codec going for $seconds s with 1 packet in 20 lost and 100 ms round trip, seed ${seed}`,
		// Which packets are lost is by chance: a key frame may be so unlucky that nothing mends it in time.
		{ timeout: 150_000, retry: 2 },
		async ({ name, codec, without, seconds }) => {
			await using near = await WebRtcBrowser.start();
			await using far = await WebRtcBrowser.start(link.port);
			const path = `${name}-${codec}`.toLowerCase();
			await near.publish(sluice.webrtc(path), codec);
			await sluice.ready(path, 30_000);
			const viewer = await far.play(sluice.webrtc(path), without);
			const { page } = viewer;
			await viewer.decoded(30);
			const red = await redOf(page);
			// Browsers count packets of FlexFEC only.
			const fecPackets = async () => (red === null ? (await fecOf(page)).fecPackets : (link.types.get(red) ?? 0));
			// The first reports tell of the loss.
			const comes = async () => (await fecPackets()) > 0;
			await eventually("FEC comes", comes, { timeoutMs: 20_000, everyMs: 500 });
			await watchFrames(page);
			const [before, fecBefore] = [await fecOf(page), await fecPackets()];
			const isOver = async () => (await fecOf(page)).seconds - before.seconds > seconds;
			await eventually(`${seconds} s went by`, isOver, { timeoutMs: 2_000 * seconds, everyMs: 500 });
			const [got, seen, fec] = [await fecOf(page), await framesSeen(page), (await fecPackets()) - fecBefore];
			const figures = JSON.stringify({ seed, seen, before, got, fec, toPeers: link.toPeers });
			expect(fec, figures).toBeGreaterThan(20);
			expect(got.frames - before.frames, figures).toBeGreaterThan(10 * seconds);
			expect(longestGapMs(seen), figures).toBeLessThan(MAX_GAP_MS);
		},
	);

	it(`recovers what a publisher of VP8 protects, seed ${seed}`, async () => {
		await using browser = await WebRtcBrowser.start(link.port);
		const { page } = await browser.publish(sluice.webrtc("protected"), "VP8");
		await sluice.ready("protected", 30_000);
		// More than what the publisher sent again: the others were made of what came.
		const recovered = async () => {
			const repaired = await sluice.metric("webrtc_sessions_packets_repaired", { path: "protected" });
			return repaired - (await fecOf(page)).resent;
		};
		const options = { timeoutMs: 60_000, everyMs: 500 };
		await eventually("the node recovered packets", async () => (await recovered()) > 20, options);
	}, 120_000);
});

/** The payload type of RED that the node answered the newest connection of a page with. */
function redOf(page: Page): Promise<number | null> {
	return page.evaluate(() => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const { sdp } = (globalThis as any).connections.at(-1).remoteDescription;
		const type = /^a=rtpmap:(\d+) red\/90000/m.exec(sdp)?.[1];
		return type === undefined ? null : Number(type);
	});
}

function fecOf(page: Page): Promise<FecCount> {
	return page.evaluate(async () => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const report = new Map<string, any>(await (globalThis as any).connections.at(-1).getStats());
		const video = [...report.values()].find(
			({ type, kind }) => (type === "inbound-rtp" || type === "outbound-rtp") && kind === "video",
		);
		return {
			seconds: video.timestamp / 1_000,
			packets: video.packetsReceived ?? video.packetsSent ?? 0,
			bytes: video.bytesReceived ?? video.bytesSent ?? 0,
			frames: video.framesDecoded ?? video.framesEncoded ?? 0,
			nacks: video.nackCount ?? 0,
			resent: video.retransmittedPacketsSent ?? video.retransmittedPacketsReceived ?? 0,
			fecPackets: video.fecPacketsReceived ?? 0,
		};
	});
}
