import { expect, it } from "vitest";
import { faultWords } from "./fault-words.ts";
import { faultText, schemaFaults } from "./field-fault.ts";

it.each([
	[{ maxReaders: -1 }, "Must be 0 or more"],
	[{ maxReaders: 2_000_000 }, "Must be 1000000 or less"],
	[{ maxReaders: 1.5 }, "Must be a whole number"],
	[{ maxReaders: "" }, "Must be a number"],
	[{ hls: "perhaps" }, "Must be true or false"],
	[{ hlsDelivery: "post" }, "Must be one of relative, presigned"],
	[{ rpiCameraAWBGains: [1] }, "Must have 2 items"],
	[{ recordPath: true }, "Must be text"],
	[{ alwaysAvailableTracks: 1 }, "Must be a list"],
	[{ forward: [{}] }, "Must be set"],
	[{ hlsRetention: "soon" }, "Must be a duration such as 500ms, 10s, 1h30m or 1d"],
	[{ hlsSegmentDuration: "2h" }, "Must be between 500ms and 1m"],
])("says what is wrong with %j", (overrides, words) => {
	const [[, faults] = ["", []]] = [...schemaFaults(overrides)];
	expect(faultText(faults, [], true)).toBe(words);
});

it("counts one of something", () => {
	expect(faultWords("Too small: expected array to have >=1 items")).toBe("Must have 1 item or more");
	expect(faultWords("Too big: expected string to have <=1 characters")).toBe("Must have 1 character or less");
});
