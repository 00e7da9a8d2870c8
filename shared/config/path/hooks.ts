import * as z from "zod";
import { durationBetween, text } from "../scalar.ts";

const command = (words: string) => text.default("").describe(words);
const restart = (name: string) =>
	z.boolean().default(false).describe(`Start the command of ${name} again when it exits`);

/** Commands that are run, without a shell, when something happens to the path. */
export const hooksShape = {
	runOnInit: command("Run while the path exists"),
	runOnInitRestart: restart("runOnInit"),
	runOnDemand: command("Run while somebody reads: publishes the stream on demand"),
	runOnDemandRestart: restart("runOnDemand"),
	runOnDemandStartTimeout: durationBetween("100ms", "10m")
		.default("10s")
		.describe("How long readers wait until the command of runOnDemand publishes"),
	runOnDemandCloseAfter: durationBetween("0s", "1d")
		.default("10s")
		.describe("How long the command of runOnDemand stays after the last reader"),
	runOnUnDemand: command("Run when there is no reader any more"),
	runOnAvailable: command("Run while the stream can be read"),
	runOnAvailableRestart: restart("runOnAvailable"),
	runOnUnavailable: command("Run when the stream cannot be read any more"),
	runOnOnline: command("Run while the stream comes from its source, not from an offline clip"),
	runOnOnlineRestart: restart("runOnOnline"),
	runOnOffline: command("Run when the source is gone"),
	runOnRead: command("Run while a client reads, once for each"),
	runOnReadRestart: restart("runOnRead"),
	runOnUnread: command("Run when a client stops to read"),
} as const;

/** Those of recordings. */
export const recordHooksShape = {
	runOnRecordSegmentCreate: command("Run when a recording file is begun"),
	runOnRecordSegmentComplete: command("Run when a recording file is complete"),
} as const;
