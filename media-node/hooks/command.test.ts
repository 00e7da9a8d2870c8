import { spawnSync } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { driven } from "../../test/support/driven.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import type { Logger } from "../log.ts";
import { Command, type CommandOptions, RESTART_PAUSE_MS } from "./command.ts";
import { hookEnvironment } from "./hook-environment.ts";

type Line = { readonly level: string; readonly text: string };

function recordingLog(lines: Line[]): Logger {
	const at =
		(level: string) =>
		(...args: unknown[]) =>
			void lines.push({ level, text: String(args.at(-1)) });
	const log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => log };
	return log as unknown as Logger;
}

/** A program that writes its arguments and its variables to a file. */
async function recorder(folder: string): Promise<string> {
	const script = path.join(folder, "record.mjs");
	await writeFile(
		script,
		`import { writeFileSync, renameSync } from "node:fs";
const [file, ...args] = process.argv.slice(2);
writeFileSync(file + ".part", JSON.stringify({ args, env: process.env }));
renameSync(file + ".part", file);
`,
	);
	return `'${process.execPath}' '${script}'`;
}

async function setup() {
	const folder = await tempDir();
	const lines: Line[] = [];
	const commands: Command[] = [];
	onTestFinished(async () => {
		await Promise.all(commands.map((command) => command.close()));
		await folder[Symbol.asyncDispose]();
	});
	const start = (line: string, options: Partial<CommandOptions> = {}) => {
		const command = Command.start({
			line,
			env: {},
			restart: false,
			clock: systemClock,
			log: recordingLog(lines),
			name: "runOnTest",
			...options,
		});
		commands.push(command);
		return command;
	};
	const file = (name: string) => path.join(folder.path, name);
	const read = (name: string) => readFile(file(name), "utf8");
	/** The process IDs that a command wrote to a file, one a line. */
	const pids = (name: string, count: number) =>
		eventually(`${count} process IDs in ${name}`, async () => {
			const numbers = [...(await read(name)).matchAll(/^(\d+)\n/gm)].map(([, id]) => Number(id));
			return numbers.length === count && numbers;
		});
	return { folder: folder.path, lines, start, file, read, pids };
}

/** The ID of the first group that the log tells of. */
function groupOf(lines: readonly Line[]): number {
	return Number(lines.map((line) => /as process (\d+)/.exec(line.text)?.[1]).find((id) => id !== undefined));
}

/** The processes that live, of all or of one group. A zombie is dead. */
function alive(group?: number): number[] {
	const { stdout } = spawnSync("ps", ["-eo", "pid=,pgid=,stat="], { encoding: "utf8" });
	return stdout
		.trim()
		.split("\n")
		.map((line) => line.trim().split(/\s+/))
		.filter(([, pgid, stat]) => !stat?.startsWith("Z") && (group === undefined || Number(pgid) === group))
		.map(([pid]) => Number(pid));
}

const isRunning = (pid: number) => alive().includes(pid);

describe("Command", () => {
	it("gives the program its arguments and the variables, besides those of the node", async () => {
		const { folder, start, file, read, lines } = await setup();
		const env = hookEnvironment({ rtspPort: 8554, path: "live/cam", query: "a=1&b=2", groups: ["cam"] });
		await start(`${await recorder(folder)} ${file("out")} 'x y' rtsp://h:$RTSP_PORT/$MTX_PATH "" $G1`, { env }).ended;
		const seen = JSON.parse(await read("out"));
		expect(seen.args).toEqual(["x y", "rtsp://h:8554/live/cam", "", "cam"]);
		expect(seen.env).toMatchObject({ ...env, PATH: process.env["PATH"] });
		expect(lines).toContainEqual({ level: "info", text: "runOnTest exited with code 0" });
	});

	it.each([
		"; touch PWNED",
		"$(touch PWNED)",
		"`touch PWNED`",
		"' ; touch PWNED ; '",
		'" ; touch PWNED ; "',
		"x\ntouch PWNED\n",
		"& touch PWNED &",
		"|touch PWNED|",
		`\${x:-$(touch PWNED)}`,
		"a[$(touch PWNED)]",
		"() { :;}; touch PWNED",
		"--eval=require('fs').writeFileSync('PWNED','')",
	])("executes nothing that a name or a query says: %j", async (text) => {
		const { folder, start, file, read } = await setup();
		const hostile = text.replaceAll("PWNED", file("PWNED"));
		const env = hookEnvironment({ rtspPort: 1, path: hostile, query: hostile, groups: [hostile] });
		await start(`${await recorder(folder)} ${file("out")} $MTX_QUERY x=$MTX_PATH '$G1' "$G1"`, { env }).ended;
		expect(JSON.parse(await read("out")).args).toEqual([hostile, `x=${hostile}`, hostile, hostile]);
		// Scripts of each quoting: the shell takes the value from its environment, as one word at most.
		for (const script of [
			`sh -c 'printf %s "$MTX_QUERY" > OUT'`,
			`sh -c "printf %s \\"$MTX_QUERY\\" > OUT"`,
			`bash -c "printf %s \\"\${MTX_PATH}\\" > OUT"`,
			`nice bash -ec 'printf %s "$G1" > OUT'`,
		]) {
			await start(script.replaceAll("OUT", file("script")), { env }).ended;
			expect(await read("script")).toBe(hostile);
		}
		await start(`bash -c "echo $MTX_QUERY '$MTX_PATH' > ${file("unquoted")}"`, { env }).ended;
		await read("unquoted");
		await expect(read("PWNED")).rejects.toThrow("ENOENT");
	});

	it("logs how a program that fails exits, with the hook's name and what it wrote", async () => {
		const { start, lines } = await setup();
		await start("sh -c 'echo out; echo err >&2; exit 3'").ended;
		expect(lines).toContainEqual({ level: "warn", text: "runOnTest exited with code 3" });
		expect(lines).toContainEqual({ level: "debug", text: "out" });
		expect(lines).toContainEqual({ level: "debug", text: "err" });
		await start("sh -c 'kill -TERM $$'").ended;
		expect(lines).toContainEqual({ level: "warn", text: "runOnTest was ended by SIGTERM" });
	});

	it("gives the program a standard input that ends at once", async () => {
		const { start, lines } = await setup();
		await start("cat").ended;
		expect(lines).toContainEqual({ level: "info", text: "runOnTest exited with code 0" });
	});

	it("says in one line why a program cannot be started", async () => {
		const { folder, start, lines, file } = await setup();
		const errors = () => lines.filter((line) => line.level !== "debug").map((line) => line.text);
		await start("no-such-program-anywhere --secret=x").ended;
		expect(errors()).toEqual([
			"runOnTest could not start no-such-program-anywhere: it was not found; check its name and PATH",
		]);
		lines.length = 0;
		await writeFile(file("plain"), "x");
		await chmod(file("plain"), 0o600);
		await start(file("plain")).ended;
		expect(errors()).toEqual([
			`runOnTest could not start ${folder}/plain: it may not be executed; check its permissions`,
		]);
		lines.length = 0;
		await start("sh 'never closed").ended;
		expect(errors()).toEqual([expect.stringContaining("runOnTest was not run: The command has a single quote")]);
		lines.length = 0;
		await start("true $V", { env: { V: "a\0b" } }).ended;
		expect(errors()).toEqual([expect.stringContaining("runOnTest could not start true: the system refused")]);
	});

	it("sends SIGINT to the children of its children when it is closed", async () => {
		const { start, file, read, pids, lines } = await setup();
		const child = `trap "echo int >> '${file("trapped")}'; exit" INT; echo $$ >> '${file("pids")}'; while :; do sleep 0.05; done`;
		// A program that waits for its children, as a wrapper does. (A shell's background jobs would ignore SIGINT.)
		await writeFile(
			file("tree.mjs"),
			`import { spawn } from "node:child_process";
process.on("SIGINT", () => {});
for (let i = 0; i < 2; i++) spawn("bash", ["-c", ${JSON.stringify(child)}]);
`,
		);
		const command = start(`'${process.execPath}' '${file("tree.mjs")}'`);
		const children = await pids("pids", 2);
		expect(children.every(isRunning)).toBe(true);
		await command.close();
		expect(await read("trapped")).toBe("int\nint\n");
		expect(children.filter(isRunning)).toEqual([]);
		expect(alive(groupOf(lines))).toEqual([]);
		expect(lines).toContainEqual({ level: "info", text: "runOnTest exited with code 0" });
	});

	it("kills what ignores SIGINT after 5 s, children included, and not before", async () => {
		const { start, file, pids, lines } = await setup();
		const clock = new FakeClock();
		const command = start(
			`bash -c "trap '' INT; sleep 600 & echo $! >> ${file("pids")}; echo $$ >> ${file("pids")}; wait"`,
			{
				clock,
			},
		);
		const processes = await pids("pids", 2);
		const closed = command.close();
		await clock.advance(4900);
		expect(processes.filter(isRunning)).toEqual(processes);
		expect(lines.filter((line) => line.level === "warn")).toEqual([]);
		await clock.advance(100);
		await driven(clock, closed);
		expect(processes.filter(isRunning)).toEqual([]);
		expect(lines).toContainEqual({ level: "warn", text: "runOnTest did not end after SIGINT and was killed" });
		expect(lines).toContainEqual({ level: "info", text: "runOnTest was ended by SIGKILL" });
		expect(clock.pending).toBe(0);
	});

	it("runs again 5 s after each exit, whatever the code, until it is closed", async () => {
		const { start, file, read } = await setup();
		const clock = new FakeClock();
		const command = start(`sh -c 'echo run >> ${file("runs")}; exit 1'`, { restart: true, clock });
		const runs = async () => (await read("runs")).length / "run\n".length;
		for (let run = 1; run <= 3; run++) {
			await eventually(`the pause after run ${run}`, () => clock.nextAt === clock.now() + RESTART_PAUSE_MS);
			expect(await runs()).toBe(run);
			await clock.advance(RESTART_PAUSE_MS - 1);
			expect(clock.pending).toBe(1);
			await clock.advance(1);
		}
		await eventually("the last pause", () => clock.nextAt === clock.now() + RESTART_PAUSE_MS);
		await command.close();
		await clock.advance(60_000);
		expect(await runs()).toBe(4);
		expect(clock.pending).toBe(0);
	});

	it("ends what a program left behind before it runs again", async () => {
		const { start, file, pids } = await setup();
		const clock = new FakeClock();
		const command = start(
			`'${process.execPath}' -e "require('child_process').spawn('sh', ['-c', 'echo \\$\\$ >> ${file("pids")}; exec sleep 600']).unref(); setTimeout(() => process.exit(), 200)"`,
			{
				restart: true,
				clock,
			},
		);
		const [left = 0] = await pids("pids", 1);
		await eventually("the pause before the next run", async () => {
			await clock.advance(20);
			return (clock.nextAt ?? 0) > clock.now() + 1000;
		});
		expect(isRunning(left)).toBe(false);
		await driven(clock, command.close());
	});

	it("lets what a program left in its group go on, and ends it when it is closed", async () => {
		const { start, file, pids, lines } = await setup();
		const clock = new FakeClock();
		let ended = false;
		const command = start(`bash -c "sleep 600 & echo $! >> ${file("pids")}"`, { clock });
		void command.ended.then(() => {
			ended = true;
		});
		const [left = 0] = await pids("pids", 1);
		await eventually("the program's exit", () => lines.some((line) => line.text === "runOnTest exited with code 0"));
		await clock.advance(60_000);
		expect({ ended, running: isRunning(left) }).toEqual({ ended: false, running: true });
		await driven(clock, command.close());
		expect(ended).toBe(true);
		expect(isRunning(left)).toBe(false);
		expect(clock.pending).toBe(0);
	});

	it("can be closed twice, before the program runs, and after it ended", async () => {
		const { start, lines } = await setup();
		const command = start("sleep 600");
		await Promise.all([command.close(), command.close()]);
		await command.close();
		expect(alive(groupOf(lines))).toEqual([]);
		expect(lines.filter((line) => line.text.startsWith("runOnTest "))).toHaveLength(2);
	});

	it("bounds what a noisy program brings to the log, and does not stop it", async () => {
		const { start, lines } = await setup();
		await start("sh -c 'yes | head -n 200000; echo end >&2'").ended;
		expect(lines.length).toBeLessThan(500);
		expect(lines.map((line) => line.text)).toContainEqual(expect.stringMatching(/\d+ more lines were left out/));
		expect(lines).toContainEqual({ level: "info", text: "runOnTest exited with code 0" });
	});
});
