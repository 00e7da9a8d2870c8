import { type LoggerOptions, type Logger as PinoLogger, pino } from "pino";
import pretty from "pino-pretty";

/** A structured logger. Lines carry `path`, `session` and `code` where they apply; never a token or a key. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error"> & {
	child(bindings: Record<string, unknown>): Logger;
};

export type LogLevel = "error" | "warn" | "info" | "debug";

/** A logger that writes lines for people to standard output, or JSON. */
export function createLogger({ level, structured }: { level: LogLevel; structured: boolean }): Logger {
	const options: LoggerOptions = { level, base: null };
	if (structured) return pino(options);
	return pino(
		options,
		pretty({
			colorize: process.stdout.isTTY === true,
			translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l",
			singleLine: true,
			sync: true,
		}),
	);
}
