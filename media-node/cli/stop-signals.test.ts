import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { systemClock } from "#shared/clock.ts";
import type { Logger } from "../log.ts";
import { StopSignals, type StopSignalsOptions } from "./stop-signals.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function begin(env: NodeJS.ProcessEnv = {}, connected = true) {
	const process = Object.assign(new EventEmitter(), { env, connected, channel: undefined, exit: vi.fn() });
	const said: string[] = [];
	const stop = new StopSignals({
		process: process as unknown as StopSignalsOptions["process"],
		clock: systemClock,
		log: { info: (text: string) => void said.push(text) } as unknown as Logger,
	});
	return { process, stop, said };
}

it("stops once, and gives a running program half a minute for it", () => {
	const { process, stop, said } = begin();
	stop.started();
	process.emit("SIGTERM");
	expect(stop.signal.aborted).toBe(true);
	vi.advanceTimersByTime(29_000);
	expect(process.exit).not.toHaveBeenCalled();
	vi.advanceTimersByTime(1_000);
	expect(process.exit).toHaveBeenCalledExactlyOnceWith(1);
	expect(said).toEqual(["SIGTERM: stopping"]);
});

it("ends a start that hangs within two seconds", () => {
	const { process } = begin();
	process.emit("SIGINT");
	vi.advanceTimersByTime(2_000);
	expect(process.exit).toHaveBeenCalledExactlyOnceWith(1);
});

it("ends at once at a second signal, which a launcher's echo of the first is not", () => {
	const { process, stop } = begin();
	stop.started();
	process.emit("SIGINT");
	vi.advanceTimersByTime(5);
	process.emit("SIGINT");
	expect(process.exit).not.toHaveBeenCalled();
	vi.advanceTimersByTime(600);
	process.emit("SIGINT");
	expect(process.exit).toHaveBeenCalledExactlyOnceWith(1);
});

it("stops when its launcher is gone, also before it looked, and minds no other parent", () => {
	const env = { _SLUICE_LAUNCHER: "1" };
	const launched = begin(env);
	expect(env).toEqual({});
	expect(launched.stop.signal.aborted).toBe(false);
	launched.process.emit("disconnect");
	expect(launched.stop.signal.aborted).toBe(true);
	expect(begin({ _SLUICE_LAUNCHER: "1" }, false).stop.signal.aborted).toBe(true);
	const other = begin();
	other.process.emit("disconnect");
	expect(other.stop.signal.aborted).toBe(false);
});
