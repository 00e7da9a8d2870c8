/** Where and how fast a source is to play: the Range and Scale headers. RFC 2326 §12.29, §12.34, §3.5 to §3.7. Pure. */

import { parseDurationMs } from "#shared/config/duration.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import { InputError } from "#shared/problem.ts";

export type PlayConfig = Pick<PathConfig, "rtspRangeType" | "rtspRangeStart" | "rtspScale">;

/** From now on, as live cameras take it; some want to be told. */
const FROM_START = "npt=0.000-";

/**
 * The headers of PLAY.
 * @throws InputError `config.invalid` when the start is not of its type
 */
export function playHeaders({ rtspRangeType, rtspRangeStart, rtspScale }: PlayConfig): Record<string, string> {
	return {
		Range: rtspRangeType === "" ? FROM_START : rangeOf(rtspRangeType, rtspRangeStart.trim()),
		...(rtspScale === "" ? {} : { Scale: rtspScale }),
	};
}

function rangeOf(type: "clock" | "npt" | "smpte", start: string): string {
	if (type === "clock") {
		if (/^\d{8}T\d{6}(\.\d{1,9})?Z$/.test(start)) return `clock=${start}-`;
		throw new InputError("config.invalid", "rtspRangeStart must be a time such as 20230812T120000Z for clock");
	}
	const ms = start === "" ? 0 : parseDurationMs(start);
	if (ms === null || ms < 0) {
		throw new InputError("config.invalid", `rtspRangeStart must be a duration such as 1m30s for ${type}`);
	}
	if (type === "npt") return `npt=${(ms / 1000).toFixed(3)}-`;
	const seconds = Math.floor(ms / 1000);
	const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
	return `smpte=${parts.map((part) => String(part).padStart(2, "0")).join(":")}-`;
}
