import { describe, expect, it } from "vitest";
import { publishedFec, sentFec } from "./fec-format.ts";
import { offeredFormats } from "./offered-format.ts";
import { EMPTY_SECTION, type MediaSection, type PayloadType } from "./sdp.ts";

const type = (payloadType: number, encoding: string, fmtp = "", feedback: string[] = []): PayloadType => {
	return { payloadType, encoding, fmtp, feedback };
};
const VP8 = type(96, "VP8/90000", "", ["nack"]);
const RTX = type(97, "rtx/90000", "apt=96");
const RED = [type(98, "red/90000", "", ["nack"]), type(99, "rtx/90000", "apt=98"), type(100, "ulpfec/90000")];
const FLEXFEC = type(49, "flexfec-03/90000", "repair-window=10000000", ["goog-remb", "transport-cc"]);

function section(...payloadTypes: PayloadType[]): MediaSection {
	return { ...EMPTY_SECTION, kind: "video", payloadTypes };
}

const sent = (offer: MediaSection) => {
	const [format] = offeredFormats(offer);
	return format === undefined ? null : sentFec(offer, format);
};

describe("forward error correction in offers", () => {
	it("is nothing where nothing is offered, and RED alone or ULPFEC alone are nothing", () => {
		for (const offered of [[], RED.slice(0, 2), RED.slice(2)]) {
			expect(publishedFec(section(VP8, RTX, ...offered))).toBeNull();
			expect(sent(section(VP8, RTX, ...offered))).toBeNull();
		}
	});

	it("is all that a publisher offers", () => {
		const fec = publishedFec(section(VP8, RTX, ...RED, FLEXFEC));
		expect(fec?.format).toEqual({ ulpfec: { red: 98, redRtx: 99, ulpfec: 100 }, flexfec: 49 });
		expect(fec?.payloadTypes).toEqual([
			...RED.map((each) => ({ ...each, feedback: [] })),
			{ ...FLEXFEC, feedback: ["transport-cc"] },
		]);
	});

	it("is FlexFEC alone for a viewer that takes it, for it leaves media as they are", () => {
		const fec = sent(section(VP8, RTX, ...RED, FLEXFEC));
		expect(fec?.format).toEqual({ ulpfec: null, flexfec: 49 });
		expect(fec?.payloadTypes.map(({ payloadType }) => payloadType)).toEqual([49]);
	});

	it("is ULPFEC for one that does not, where packets are sent again as those of another source", () => {
		expect(sent(section(VP8, RTX, ...RED))?.format).toEqual({
			ulpfec: { red: 98, redRtx: 99, ulpfec: 100 },
			flexfec: null,
		});
		expect(sent(section(VP8, ...RED))).toBeNull();
	});

	it("knows RED whose packets are not sent again", () => {
		expect(publishedFec(section(VP8, ...RED.slice(0, 1), ...RED.slice(2)))?.format.ulpfec).toEqual({
			red: 98,
			redRtx: null,
			ulpfec: 100,
		});
	});

	it("does not take redundant audio for it", () => {
		const audio = section(type(111, "opus/48000/2"), type(63, "red/48000/2", "111/111"), ...RED);
		expect(publishedFec({ ...audio, kind: "audio" })).toBeNull();
	});
});
