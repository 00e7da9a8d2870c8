import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { StoreError } from "#shared/problem.ts";
import { tempDir } from "../test/support/temp-dir.ts";
import { createLogger, type LogLevel } from "./log.ts";

async function logged(err: unknown, options: { level?: LogLevel; structured?: boolean } = {}): Promise<string> {
	await using folder = await tempDir();
	const file = path.join(folder.path, "log");
	const { level = "info", structured = false } = options;
	const { log } = createLogger({ level, structured, destinations: ["file"], file });
	log.warn({ err, path: "cam01" }, "The bucket is away");
	return readFile(file, "utf8");
}

const refused = new StoreError("store.refused", "Cannot write x: give credentials", {
	cause: new Error("no provider"),
});

it("tells what others have caused in one line: its code, its message and why", async () => {
	const text = await logged(refused);
	expect(text.trimEnd().split("\n")).toHaveLength(1);
	for (const part of ["store.refused", "Cannot write x: give credentials", "no provider", "cam01"]) {
		expect(text).toContain(part);
	}
	expect(JSON.parse(await logged(refused, { structured: true }))).toMatchObject({
		path: "cam01",
		err: { type: "StoreError", code: "store.refused", message: refused.message, cause: "no provider" },
	});
});

it("says a reason once", async () => {
	const error = new StoreError("store.unavailable", "Cannot read x: no route", { cause: new Error("no route") });
	expect(await logged(error)).not.toContain("cause");
});

it.each([true, false])(
	"tells where the code stood for faults of ours, and who debugs (structured: %s)",
	async (structured) => {
		expect(await logged(new TypeError("x"), { structured })).toContain("log.test.ts");
		expect(await logged(refused, { structured, level: "debug" })).toContain("log.test.ts");
	},
);
