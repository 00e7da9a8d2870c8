import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import { functionsForTest } from "../../../../test/support/functions.ts";
import { faultText, mergedFaults, problemFaults, ruleFaults, schemaFaults, stillFaulty } from "./field-fault.ts";

const WRONG = {
	maxReaders: -1,
	hlsSegmentDuration: "soon",
	forward: [{ dest: "rtsp://host/x" }, { dest: "nowhere", whipBearerToken: 1 }],
	source: ["publisher", "http//x"],
	alwaysAvailableTracks: [{ codec: "LPCM" }],
	noSuchKey: true,
};

const plain = (faults: ReturnType<typeof schemaFaults>) =>
	[...faults].flatMap(([key, list]) => list.map(({ at, message }) => `${[key, ...at].join(".")}: ${message}`));

describe("faults that the schema finds", () => {
	it("stand at their settings, and in lists at their items", () => {
		const faults = schemaFaults(WRONG);
		expect([...faults.keys()].sort()).toEqual(Object.keys(WRONG).sort());
		expect(faults.get("forward")?.map(({ at }) => at.join("."))).toContain("1.dest");
		expect(faultText(faults.get("noSuchKey") ?? [])).toBe("Is no setting of a path");
		expect(faultText(faults.get("forward") ?? [], ["1", "dest"])).toMatch(/^Must be a /);
		expect(faultText(faults.get("forward") ?? [], ["0"], true)).toBeNull();
		expect(faultText(faults.get("forward") ?? [])).toBeNull();
		expect(faultText(faults.get("forward") ?? [], [], true)).toContain("Must be a ");
	});

	it("are none, when there is none", () => {
		expect(schemaFaults({ maxReaders: 3, source: "publisher" }).size).toBe(0);
	});
});

describe("faults that the server finds", () => {
	it("are those that the schema finds here, at the same fields", async () => {
		const { api } = await functionsForTest();
		for (const wrong of [{ maxReaders: -1 }, { forward: WRONG.forward }, { hlsSegmentDuration: "soon" }]) {
			const answer = await api("PUT", "/v1/paths/cam", wrong);
			expect(answer.status).toBe(400);
			const { detail, issues } = (await answer.json()) as {
				detail: string;
				issues: { path: string; message: string }[];
			};
			expect(plain(problemFaults({ message: detail, errors: issues }))).toEqual(plain(schemaFaults(wrong)));
		}
	});

	it("stand at the field that a message without places begins with", () => {
		const message = "runOnInit is a command that nodes run: only an administrator may set or change it";
		expect(plain(problemFaults({ message, errors: [] }))).toEqual([
			"runOnInit: is a command that nodes run: only an administrator may set or change it",
		]);
		expect(problemFaults({ message: "The bucket is away", errors: [] }).size).toBe(0);
		expect(problemFaults(null).size).toBe(0);
	});

	it("go when the field is changed", () => {
		const faults = problemFaults({
			message: "",
			errors: [
				{ path: "body.hls", message: "no" },
				{ path: "body.source", message: "no" },
			],
		});
		expect([...stillFaulty(faults, new Set(["hls"])).keys()]).toEqual(["source"]);
	});
});

describe("faults across settings", () => {
	it("stand at the setting that has to change", () => {
		const faults = ruleFaults("cam", { ...DEFAULT_PATH_CONFIG, source: "redirect", recordPath: "./x" });
		expect(faultText(faults.get("sourceRedirect") ?? [])).toBe("Must be set when source is redirect");
		expect(faults.has("recordPath")).toBe(true);
		expect(ruleFaults("cam", { ...DEFAULT_PATH_CONFIG }).size).toBe(0);
	});

	it("wait until each setting is right", () => {
		expect(ruleFaults("cam", { ...DEFAULT_PATH_CONFIG, source: "redirect", maxReaders: -1 }).size).toBe(0);
	});
});

it("merges faults without repeating them", () => {
	const faults = schemaFaults({ maxReaders: -1 });
	expect(plain(mergedFaults(faults, faults, new Map([["hls", [{ at: [], message: "x" }]]])))).toEqual([
		...plain(faults),
		"hls: x",
	]);
});
