import { expect, test } from "vitest";
import { unixMsOf } from "./ntp.ts";
import { parseRtcp } from "./rtcp-packet.ts";
import { writeSenderReport } from "./sender-report.ts";

test("a sender report tells the time, and the name of its source", () => {
	const fields = { ssrc: 7, rtpTime: 0xffff_fff0, packets: 10, octets: 9_000 };
	const wallclockMs = Date.UTC(2026, 0, 1, 12);
	const [report, names] = parseRtcp(writeSenderReport({ ...fields, wallclockMs }, "sluice"));
	expect(report).toMatchObject({ type: "SR", ...fields, reports: [] });
	expect(report?.type === "SR" ? unixMsOf(report.ntp) : null).toBe(wallclockMs);
	expect(names).toEqual({ type: "SDES", chunks: [{ ssrc: 7, cname: "sluice" }] });
});
