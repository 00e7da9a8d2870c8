import { describe, expect, it } from "vitest";
import { DEFAULT_PATH_CONFIG, type PathOverrides } from "#shared/config/path-config.ts";
import type { PathDocument } from "../../../routes/paths.ts";
import { pathsShown, summaryOf } from "./path-summary.ts";

function path(name: string, config: PathOverrides): PathDocument {
	const effective = { ...DEFAULT_PATH_CONFIG, ...config } as PathDocument["effective"];
	return { name, exists: true, config, effective, inherited: {} };
}

describe("a path in few words", () => {
	it("says where it comes from, without secrets", () => {
		expect(summaryOf(path("a", {}))).toEqual({ source: "A publisher", others: 0, marks: [], settings: 0 });
		const pulled = path("a", { source: ["rtsp://admin:pa55@10.0.0.7/x", "publisher"], sourceOnDemand: true });
		expect(summaryOf(pulled)).toEqual({
			source: "rtsp://admin:••••••@10.0.0.7/x",
			others: 1,
			marks: ["on demand"],
			settings: 2,
		});
		expect(summaryOf(path("a", { source: "redirect", sourceRedirect: "/b" })).source).toBe("Redirect to /b");
	});

	it("says what is out of the ordinary", () => {
		const forward = [{ dest: "rtsp://h/x", destFingerprint: "", whipBearerToken: "" }];
		const { marks } = summaryOf(path("a", { record: true, hls: false, alwaysAvailable: true, forward }));
		expect(marks).toEqual(["recorded", "always available", "no HLS", "forwarded"]);
	});
});

it("finds paths by name, source and marks, and never by a password", () => {
	const paths = [
		path("gate/1", { source: "rtsp://u:gate@10.0.0.7/x" }),
		path("roof", { record: true }),
		path("door", { source: "rtsp://u:gate@h/x" }),
	];
	const names = (query: string) => pathsShown(paths, query).map(({ name }) => name);
	expect(names("")).toEqual(["gate/1", "roof", "door"]);
	expect(names("GATE")).toEqual(["gate/1"]);
	expect(names("rtsp 10.0")).toEqual(["gate/1"]);
	expect(names("recorded")).toEqual(["roof"]);
});
