/**
 * From glass to glass over WebRTC: a page of Chromium draws the time and publishes it by WHIP, another one plays it by
 * WHEP and reads the time from each picture that comes to the screen. Both, and the node, on one machine, with software
 * encoders: the time of drawing, encoding, decoding and showing is part of it. In some forty seconds.
 */

import { codedPictures, filmTheTime, latencyOf, readTheTime } from "../support/coded-picture.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { WebRtcBrowser, type WebRtcPage } from "../support/webrtc-browser.ts";
import { wait } from "./child.ts";
import { median, printTable, quantile, verdict } from "./table.ts";

const CODECS = ["H264", "VP8"];
const MEDIAN_GOAL_MS = 200;
const P95_GOAL_MS = 310;
const WARM_UP_MS = 3_000;
const MEASURE_MS = 15_000;

await using stack = new AsyncDisposableStack();
const folder = stack.use(await tempDir());
const sluice = stack.use(await Sluice.start({ folder: folder.path }));
const browser = stack.use(await WebRtcBrowser.start());

const rows: string[][] = [];
for (const codec of CODECS) rows.push(await measure(codec));
console.log("Glass to glass by WHIP and WHEP on one machine, ms, 640x360 at 30 pictures a second");
printTable([
	["codec", "pictures", "median", "goal", "p95", "goal", "max", "encode", "jitter buffer", "decode", "unreadable"],
	...rows,
]);

async function measure(codec: string): Promise<string[]> {
	const publisher = await browser.publish(sluice.webrtc(codec), codec, filmTheTime);
	await sluice.ready(codec, 30_000);
	const viewer = await browser.play(sluice.webrtc(codec));
	await viewer.decoded(30);
	await wait(WARM_UP_MS);
	const before = [await timesOf(publisher), await timesOf(viewer)] as const;
	await readTheTime(viewer.page);
	await wait(MEASURE_MS);
	const { pictures, unreadable } = await codedPictures(viewer.page);
	const after = [await timesOf(publisher), await timesOf(viewer)] as const;
	await viewer.page.close();
	await publisher.page.close();
	const latencies = pictures.map(latencyOf);
	const figures = { median: median(latencies), p95: quantile(latencies, 0.95), max: Math.max(...latencies) };
	const each = (side: 0 | 1, part: keyof Times, of: keyof Times) =>
		(1_000 * (after[side][part] - before[side][part])) / (after[side][of] - before[side][of]);
	if (figures.median > MEDIAN_GOAL_MS || figures.p95 > P95_GOAL_MS) process.exitCode = 1;
	return [
		codec,
		String(pictures.length),
		figures.median.toFixed(0),
		verdict(figures.median, "at most", MEDIAN_GOAL_MS),
		figures.p95.toFixed(0),
		verdict(figures.p95, "at most", P95_GOAL_MS),
		figures.max.toFixed(0),
		each(0, "encodeSeconds", "encoded").toFixed(1),
		each(1, "bufferSeconds", "buffered").toFixed(1),
		each(1, "decodeSeconds", "decoded").toFixed(1),
		String(unreadable),
	];
}

/** Sums since the connection began. */
type Times = {
	readonly encodeSeconds: number;
	readonly encoded: number;
	readonly bufferSeconds: number;
	readonly buffered: number;
	readonly decodeSeconds: number;
	readonly decoded: number;
};

function timesOf({ page }: WebRtcPage): Promise<Times> {
	return page.evaluate(async () => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const report = new Map<string, any>(await (globalThis as any).connections.at(-1).getStats());
		const video = [...report.values()].find(
			({ type, kind }) => (type === "inbound-rtp" || type === "outbound-rtp") && kind === "video",
		);
		return {
			encodeSeconds: video?.totalEncodeTime ?? 0,
			encoded: video?.framesEncoded ?? 0,
			bufferSeconds: video?.jitterBufferDelay ?? 0,
			buffered: video?.jitterBufferEmittedCount ?? 0,
			decodeSeconds: video?.totalDecodeTime ?? 0,
			decoded: video?.framesDecoded ?? 0,
		};
	});
}
