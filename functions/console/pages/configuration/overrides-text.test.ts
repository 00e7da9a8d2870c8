import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { overridesText, readOverridesText } from "./overrides-text.ts";

const CONFIG = {
	forward: [{ dest: "rtsp://u:p@host/x", destFingerprint: "", whipBearerToken: "" }],
	rpiCameraH264Level: "4.1",
	maxReaders: 10,
	source: ["rtsp://10.0.0.7:554/cam?x=1#y", "publisher"],
	rtpSDP: "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\n",
	recordPath: "./recordings/%path/%s",
	srtReadPassphrase: "0123456789",
	hls: false,
};

describe("settings as text", () => {
	it("come back from YAML and from JSON as they were", () => {
		for (const format of ["yaml", "json"] as const) {
			expect(readOverridesText(overridesText(CONFIG, format))).toEqual({ overrides: CONFIG, fault: null });
			expect(readOverridesText(overridesText({}, format))).toEqual({ overrides: {}, fault: null });
		}
	});

	it("stand in the order of the schema", () => {
		expect(overridesText({ hls: false, source: "publisher", maxReaders: 1 }, "yaml")).toBe(
			"source: publisher\nmaxReaders: 1\nhls: false\n",
		);
	});

	it.each([
		["maxReaders: -1", /^maxReaders: /],
		["noSuch: 1", "noSuch: Is no setting of a path"],
		["- a\n- b", "The text must hold settings, such as maxReaders: 10"],
		["publisher", "The text must hold settings, such as maxReaders: 10"],
		["a: [", /line 1/],
		["maxReaders: 1\nmaxReaders: 2", /unique/],
		["forward:\n  - dest: nowhere", /^forward: Must be a /],
		[" ".repeat(100_001), /more than/],
	])("that are not right are refused with the reason: %j", (text, fault) => {
		const read = readOverridesText(text);
		expect(read.overrides).toBeNull();
		expect(read.fault).toMatch(fault);
	});

	it("with aliases that grow without end are refused", () => {
		const lines = ["a: &a [1,1,1,1,1,1,1,1,1]"];
		for (let i = 1; i < 10; i++)
			lines.push(
				`a${i}: &a${i} [${Array(9)
					.fill(i === 1 ? "*a" : `*a${i - 1}`)
					.join(",")}]`,
			);
		expect(readOverridesText(lines.join("\n")).overrides).toBeNull();
	});

	it("never make it throw", () => {
		fc.assert(
			fc.property(
				fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom(..."a:-[]{}&*!|>\n 1'\"%#?") })),
				(text) => {
					const { overrides, fault } = readOverridesText(text);
					expect((overrides === null) === (fault !== null)).toBe(true);
				},
			),
			{ seed: 20_261_121, numRuns: 500 },
		);
	});
});
