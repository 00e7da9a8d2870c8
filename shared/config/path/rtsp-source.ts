import * as z from "zod";
import { text } from "../scalar.ts";

const sourcePort = z.int().min(1).max(65_535);

/** What is about RTSP and RTP: sources, and what publishers and readers get. */
export const rtspShape = {
	rtspTransport: z
		.enum(["automatic", "udp", "multicast", "tcp"])
		.default("automatic")
		.describe("How an RTSP source sends; automatic: UDP, and TCP when nothing arrives"),
	rtspAnyPort: z
		.boolean()
		.default(false)
		.describe("Take UDP packets of an RTSP source from any port of it: only for cameras that need it"),
	rtspRangeType: z
		.preprocess((value) => value ?? "", z.enum(["", "clock", "npt", "smpte"]))
		.default("")
		.describe("Kind of the Range header that an RTSP source is asked with"),
	rtspRangeStart: text
		.default("")
		.describe("Where an RTSP source is to start: 20230812T120000Z for clock, else a duration"),
	rtspScale: text
		.refine((value) => value === "" || /^-?\d+(\.\d+)?$/.test(value), { message: "must be a number such as 2 or 0.5" })
		.default("")
		.describe("Speed that an RTSP source is asked for; empty: as it is"),
	rtspUDPSourcePortRange: z
		.array(sourcePort)
		.length(2)
		.refine(([from = 0, to = 0]) => to > from, { message: "must be a lower and a higher port" })
		.default([32_768, 60_999])
		.describe("Ports to receive UDP packets of an RTSP source on"),
	rtspGOPCache: z
		.boolean()
		.default(false)
		.describe(
			"Begin RTSP readers with the last key frame instead of the next: pictures at once; they catch up with what is live",
		),
	rtspDemuxMpegts: z
		.boolean()
		.default(false)
		.describe("Take MPEG-TS that is published over RTSP apart into its tracks"),
	rtspBackChannel: z
		.boolean()
		.default(false)
		.describe("Ask an RTSP camera for its audio back channel, and offer it to readers"),
	rtpSDP: text.default("").describe("Session description of a udp+rtp:// source"),
} as const;
