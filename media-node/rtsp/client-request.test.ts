import { describe, expect, it } from "vitest";
import { writeRequest } from "./client-request.ts";

const text = (...args: Parameters<typeof writeRequest>) => Buffer.from(writeRequest(...args)).toString("utf8");

describe("a request of ours", () => {
	it("has its number, our name, the session and the authorization", () => {
		expect(
			text(
				{ method: "PLAY", url: "rtsp://h/cam", headers: { Range: "npt=0.000-" } },
				{ cseq: 3, session: "ab", authorization: "Basic x" },
			),
		).toBe(
			"PLAY rtsp://h/cam RTSP/1.0\r\nCSeq: 3\r\nUser-Agent: Sluice\r\nSession: ab\r\nAuthorization: Basic x\r\n" +
				"Range: npt=0.000-\r\n\r\n",
		);
	});

	it("has a length when it has a body", () => {
		const request = { method: "SET_PARAMETER", url: "*", body: "ä: 1" };
		expect(text(request, { cseq: 1, session: null, authorization: null })).toMatch(
			/\r\nContent-Length: 5\r\n\r\nä: 1$/,
		);
	});

	it("cannot be made to begin another line by what a server says", () => {
		const written = text(
			{ method: "SETUP", url: "rtsp://h/a b\r\nX: y", headers: { Transport: "a\r\nEvil: 1" } },
			{ cseq: 1, session: "s\nEvil: 2", authorization: "Basic \u2028" },
		);
		expect(written.split("\r\n")).toHaveLength(8);
		expect(written).not.toMatch(/^(Evil|X):/m);
	});
});
