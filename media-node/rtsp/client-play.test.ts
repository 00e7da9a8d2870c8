import { describe, expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { playHeaders } from "./client-play.ts";

const NOTHING = { rtspRangeType: "", rtspRangeStart: "", rtspScale: "" } as const;

describe("the headers of PLAY", () => {
	it.each([
		["", "", "npt=0.000-"],
		["clock", "20230812T120000Z", "clock=20230812T120000Z-"],
		["npt", "1m30s", "npt=90.000-"],
		["npt", "300ms", "npt=0.300-"],
		["npt", "", "npt=0.000-"],
		["smpte", "2h5m7s", "smpte=02:05:07-"],
	] as const)("have the range %s %s as %s", (rtspRangeType, rtspRangeStart, range) => {
		expect(playHeaders({ ...NOTHING, rtspRangeType, rtspRangeStart })).toEqual({ Range: range });
	});

	it("have a scale when one is configured", () => {
		expect(playHeaders({ ...NOTHING, rtspScale: "0.5" })).toMatchObject({ Scale: "0.5" });
	});

	it.each([
		["clock", "yesterday"],
		["npt", "x"],
		["npt", "-5s"],
		["smpte", "20230812T120000Z"],
	] as const)("are refused when %s is to begin at %s", (rtspRangeType, rtspRangeStart) => {
		expect(() => playHeaders({ ...NOTHING, rtspRangeType, rtspRangeStart })).toThrow(InputError);
	});
});
