/** How a server of the WebRTC bench answers the bench. */

import { setImmediate } from "node:timers/promises";
import { cpuSeconds } from "./child.ts";
import type { WebRtcServerCommand, WebRtcServerReply } from "./webrtc.ts";

/** Answers from now on, and first of all says where viewers send their offers to. */
export function answerBench(url: string, stream: { isSending: boolean }): void {
	const reply = () => {
		const rssBytes = process.memoryUsage.rss();
		process.send?.({ url, cpuSeconds: cpuSeconds(), rssBytes } satisfies WebRtcServerReply);
	};
	process.on("message", async ({ isSending, collects }: WebRtcServerCommand) => {
		stream.isSending = isSending ?? stream.isSending;
		// What a collection lets finalizers run for is collected by the next one.
		for (let i = 0; i < 3 && collects === true; i++) {
			globalThis.gc?.();
			await setImmediate();
		}
		reply();
	});
	process.on("disconnect", () => process.exit());
	reply();
}
