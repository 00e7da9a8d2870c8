import * as z from "zod";
import { text, timeout } from "../scalar.ts";

/** Sources over WebRTC and MoQ. */
export const whepShape = {
	whepBearerToken: text.default("").describe("Token for a WHEP source"),
	whepSTUNGatherTimeout: timeout.default("5s").describe("How long STUN candidates of a WHEP source are gathered"),
	whepHandshakeTimeout: timeout
		.default("10s")
		.describe("How long a WHEP source may take to answer, and then to connect"),
	whepTrackGatherTimeout: timeout
		.default("2s")
		.describe("How long the media of a WHEP source may take to come; what does not come is left out"),
} as const;

export const moqShape = {
	moqTransport: z.enum(["quic", "webtransport"]).default("quic").describe("How a MoQ source is pulled"),
} as const;
