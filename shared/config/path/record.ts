import * as z from "zod";
import { durationBetween, size, text } from "../scalar.ts";

/** Recording to disk. */
export const recordShape = {
	record: z.boolean().default(false).describe("Record the stream to disk"),
	recordPath: text
		.default("./recordings/%path/%Y-%m-%d_%H-%M-%S-%f")
		.describe("Where recordings are written; %path, %Y %m %d %H %M %S %f, %z and %s stand for their parts"),
	recordFormat: z.enum(["fmp4", "mpegts"]).default("fmp4").describe("Format of recordings"),
	recordPartDuration: durationBetween("0s", "1h").default("1s").describe("How much a crash may lose"),
	recordMaxPartSize: size.default("50M").describe("Largest part that is kept in memory"),
	recordSegmentDuration: durationBetween("0s", "1d").default("1h").describe("Shortest duration of a file"),
	recordDeleteAfter: durationBetween("0s", "36500d").default("1d").describe("When files are deleted; 0s: never"),
} as const;
