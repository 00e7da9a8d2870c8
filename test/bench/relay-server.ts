/** The RTSP server of a bench with real publishers and readers, in a process of its own. */

import { cpuSeconds } from "./child.ts";
import { openRtsp, openTable } from "./server.ts";

export type RelayReply = { readonly port: number; readonly cpuSeconds: number; readonly rssBytes: number };

const rtsp = await openRtsp(openTable());
process.on("message", () => {
	// With --expose-gc, what is garbage does not count.
	globalThis.gc?.();
	process.send?.({
		port: rtsp.port,
		cpuSeconds: cpuSeconds(),
		rssBytes: process.memoryUsage.rss(),
	} satisfies RelayReply);
});
process.on("disconnect", () => process.exit());
process.send?.({});
