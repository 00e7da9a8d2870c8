import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Clock, systemClock } from "#shared/clock.ts";
import { driven } from "../../test/support/driven.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import type { Logger } from "../log.ts";
import { hookEnvironment } from "./hook-environment.ts";
import { HookRunner } from "./hook-runner.ts";
import { type HookConfig, INSTANTS, MOMENTS, type MomentHook } from "./hooks.ts";

const env = hookEnvironment({ rtspPort: 8554, path: "cam" });

async function setup({ clock = systemClock, maxCommands }: { clock?: Clock; maxCommands?: number } = {}) {
	const folder = await tempDir();
	const lines: string[] = [];
	const add = (...args: unknown[]) => void lines.push(String(args.at(-1)));
	const log = { debug: () => {}, info: add, warn: add, error: add, child: () => log } as unknown as Logger;
	const runner = new HookRunner({ clock, log, ...(maxCommands === undefined ? {} : { maxCommands }) });
	onTestFinished(async () => {
		if (clock instanceof FakeClock) await driven(clock, runner[Symbol.asyncDispose]());
		else await runner[Symbol.asyncDispose]();
		await folder[Symbol.asyncDispose]();
	});
	const out = path.join(folder.path, "out");
	const script = path.join(folder.path, "stay.sh");
	await writeFile(
		script,
		`trap 'echo "$1 ends" >> ${out}; exit' INT\necho "$1 begins" >> ${out}\nwhile :; do sleep 0.02; done\n`,
	);
	return {
		runner,
		lines,
		folder: folder.path,
		/** A command that notes its begin and its end after SIGINT. */
		stay: (name: string) => `bash ${script} ${name}`,
		/** A command that notes its name and the path. */
		note: (name: string) => `sh -c 'echo "${name} $MTX_PATH" >> ${out}'`,
		notes: async () => (await readFile(out, "utf8").catch(() => "")).trim().split("\n"),
	};
}

/** Processes that live and have `text` in their command. */
function processesWith(text: string): string[] {
	const { stdout } = spawnSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" });
	return stdout.split("\n").filter((line) => !line.startsWith("Z") && line.includes(text));
}

describe("HookRunner", () => {
	it.each(Object.keys(MOMENTS) as MomentHook[])(
		"runs %s for as long as its moment, then its closing command",
		async (hook) => {
			const { runner, stay, note, notes } = await setup();
			const { closing } = MOMENTS[hook];
			const config: HookConfig = { [hook]: stay("it"), ...(closing === null ? {} : { [closing]: note("closed") }) };
			const moment = runner.begin(hook, config, env);
			await eventually("the begin", async () => (await notes()).includes("it begins"));
			await Promise.all([moment[Symbol.asyncDispose](), moment[Symbol.asyncDispose]()]);
			expect((await notes()).slice(0, 2)).toEqual(["it begins", "it ends"]);
			await runner[Symbol.asyncDispose]();
			expect(await notes()).toEqual(["it begins", "it ends", ...(closing === null ? [] : ["closed cam"])]);
			expect(runner.running).toBe(0);
		},
	);

	it.each(INSTANTS)("runs %s once, and waits for it when it is disposed", async (hook) => {
		const { runner, note, notes } = await setup();
		runner.once(hook, { [hook]: note("segment") }, env);
		expect(runner.running).toBe(1);
		await runner[Symbol.asyncDispose]();
		expect(await notes()).toEqual(["segment cam"]);
	});

	it("runs nothing for hooks without a command, and only the closing command where that is all there is", async () => {
		const { runner, note, notes } = await setup();
		runner.once("runOnRecordSegmentCreate", {}, env);
		const moment = runner.begin(
			"runOnRead",
			{ runOnRead: "", runOnUnread: note("gone"), runOnConnect: note("no") },
			env,
		);
		expect(runner.running).toBe(0);
		await moment[Symbol.asyncDispose]();
		await runner[Symbol.asyncDispose]();
		expect(await notes()).toEqual(["gone cam"]);
	});

	it("runs a command again only if its restart flag says so", async () => {
		const clock = new FakeClock();
		const { runner, note, notes } = await setup({ clock });
		runner.begin("runOnInit", { runOnInit: note("again"), runOnInitRestart: true }, env);
		runner.begin("runOnRead", { runOnRead: note("once"), runOnInitRestart: true }, env);
		const count = async (name: string) => (await notes()).filter((line) => line === `${name} cam`).length;
		await eventually(
			"both runs",
			async () => runner.running === 1 && clock.pending === 1 && (await count("again")) === 1,
		);
		await clock.advance(5000);
		await eventually("the second run", async () => (await count("again")) === 2);
		expect(await count("once")).toBe(1);
	});

	it("ends what is left when it is disposed: commands first, then their closing commands, and starts nothing after", async () => {
		const { runner, stay, note, notes, folder } = await setup();
		const config = { runOnAvailable: stay("a"), runOnUnavailable: note("un") };
		const moment = runner.begin("runOnAvailable", config, env);
		await eventually("the begin", async () => (await notes()).includes("a begins"));
		await Promise.all([runner[Symbol.asyncDispose](), runner[Symbol.asyncDispose]()]);
		expect(await notes()).toEqual(["a begins", "a ends", "un cam"]);
		await moment[Symbol.asyncDispose]();
		await runner.begin("runOnAvailable", config, env)[Symbol.asyncDispose]();
		runner.once("runOnRecordSegmentCreate", { runOnRecordSegmentCreate: note("late") }, env);
		expect(runner.running).toBe(0);
		expect(await notes()).toHaveLength(3);
		expect(processesWith(folder)).toEqual([]);
	});

	it("is disposed within 10 s, whatever its commands do, and leaves no process", async () => {
		const clock = new FakeClock();
		const { runner, folder, lines } = await setup({ clock });
		const stubborn = `bash -c "trap '' INT TERM; touch '${folder}/NAME'; while :; do sleep 0.1; done"`;
		runner.begin(
			"runOnDemand",
			{ runOnDemand: stubborn.replace("NAME", "demand"), runOnDemandRestart: true, runOnUnDemand: "touch x" },
			env,
		);
		runner.once("runOnRecordSegmentComplete", { runOnRecordSegmentComplete: stubborn.replace("NAME", "segment") }, env);
		await eventually("both commands", async () => {
			await readFile(`${folder}/demand`);
			await readFile(`${folder}/segment`);
			return true;
		});
		// The clock of the test goes on while the system buries what was killed.
		expect((await driven(clock, runner[Symbol.asyncDispose]())).tookMs).toBeLessThan(15_000);
		expect(processesWith(folder)).toEqual([]);
		expect(lines).toContain("runOnUnDemand was not run: the node is stopping");
		expect(clock.pending).toBe(0);
	});

	it("runs so many commands at a time, says so once, and goes on when one has ended", async () => {
		const { runner, lines, note, notes } = await setup({ maxCommands: 2 });
		const config = { runOnRead: "sleep 600", runOnUnread: note("un") };
		const moments = [1, 2, 3, 4, 5].map(() => runner.begin("runOnRead", config, env));
		expect(runner.running).toBe(2);
		expect(lines).toEqual(["runOnRead was not run: 2 commands of hooks run already; make them end sooner"]);
		await moments[0]?.[Symbol.asyncDispose]();
		expect(lines).toContain("3 commands of hooks were not run, because too many ran already");
		await eventually("the closing command", async () => (await notes()).includes("un cam"));
	});

	it("goes on after a command that cannot be run", async () => {
		const { runner, lines, note, notes } = await setup();
		const moment = runner.begin("runOnRead", { runOnRead: "no-such-program", runOnUnread: "sh 'open" }, env);
		await moment[Symbol.asyncDispose]();
		runner.once("runOnRecordSegmentCreate", { runOnRecordSegmentCreate: note("fine") }, env);
		await runner[Symbol.asyncDispose]();
		expect(await notes()).toEqual(["fine cam"]);
		expect(lines.some((line) => line.startsWith("runOnRead could not start no-such-program"))).toBe(true);
		expect(lines.some((line) => line.startsWith("runOnUnread was not run: The command has a single quote"))).toBe(true);
	});
});
