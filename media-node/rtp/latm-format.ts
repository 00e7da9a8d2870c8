import { hasCode } from "#shared/problem.ts";
import { parseStreamMuxConfig, type StreamMuxConfig } from "../codecs/latm.ts";
import { bytesOfHex, parseFmtp } from "./fmtp.ts";

export type LatmFormat = {
	readonly layout: StreamMuxConfig;
	/** The elements may tell their layout, too: `cpresent=1`. */
	readonly inBand: boolean;
};

/** Says whether an `a=rtpmap` is of LATM. */
export function isLatm(encoding: string): boolean {
	return /^MP4A-LATM\//i.test(encoding);
}

/**
 * The layout that an `a=fmtp` tells, RFC 6416 §7.3; `null` for one that is not there, damaged or not supported. That it
 * stands in the stream, too, is what counts when nothing is said of it.
 */
export function latmFormatOf(fmtp: string): LatmFormat | null {
	const parameters = parseFmtp(fmtp);
	const config = bytesOfHex(parameters.get("config") ?? "");
	if (config === null) return null;
	try {
		return { layout: parseStreamMuxConfig(config), inBand: parameters.get("cpresent") !== "0" };
	} catch (error) {
		if (hasCode(error, "bytes.truncated", "bytes.malformed", "media.unsupported")) return null;
		throw error;
	}
}
