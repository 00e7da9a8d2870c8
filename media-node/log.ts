import { type LoggerOptions, type Logger as PinoLogger, pino } from "pino";
import pretty from "pino-pretty";
import { SluiceError } from "#shared/problem.ts";

/** A structured logger. Lines carry `path`, `session` and `code` where they apply; never a token or a key. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error"> & {
	child(bindings: Record<string, unknown>): Logger;
};

export type LogLevel = "error" | "warn" | "info" | "debug";

export type LogOptions = {
	readonly level: LogLevel;
	/** JSON instead of lines for people. */
	readonly structured: boolean;
	/** `stdout`, `file` or both; `syslog` is not built. */
	readonly destinations?: readonly string[];
	readonly file?: string;
};

/** A logger whose level can be changed, for itself and all of its children. */
export type NodeLogger = { readonly log: Logger; setLevel(level: LogLevel): void };

const DEBUG = pino.levels.values["debug"] ?? 0;

/** A logger that writes to standard output, to a file, or to both. */
export function createLogger({ level, structured, destinations = ["stdout"], file = "" }: LogOptions): NodeLogger {
	let least = pino.levels.values[level] ?? 0;
	const options: LoggerOptions = {
		level: "debug",
		base: null,
		formatters: {
			// Where the code stood helps who looks for a fault of ours; this is none.
			log: (fields) => (least > DEBUG ? withoutStack(fields, structured) : fields),
		},
		serializers: { err: (error) => (error instanceof Error ? pino.stdSerializers.err(error) : error) },
		hooks: {
			logMethod(args, method, number) {
				if (number >= least) method.apply(this, args);
			},
		},
	};
	const streams = [
		...(destinations.includes("stdout") ? [structured ? pino.destination({ fd: 1, sync: true }) : forPeople(1)] : []),
		...(destinations.includes("file")
			? [structured ? pino.destination({ dest: file, sync: true }) : forPeople(file)]
			: []),
	].map((stream) => ({ stream, level: "debug" as const }));
	return {
		log: pino(options, pino.multistream(streams)),
		setLevel(next) {
			least = pino.levels.values[next] ?? 0;
		},
	};
}

/** An error that somebody outside has caused is told by its code and its message, and why. */
function withoutStack(fields: Record<string, unknown>, structured: boolean): Record<string, unknown> {
	const { err, ...others } = fields;
	if (!(err instanceof SluiceError)) return fields;
	const { name: type, code, message } = err;
	const why = err.cause instanceof Error ? err.cause.message : "";
	const cause = why === "" || message.includes(why) ? {} : { cause: why };
	return structured
		? { ...others, err: { type, code, message, ...cause } }
		: { ...others, code, reason: message, ...cause };
}

function forPeople(destination: number | string) {
	return pretty({
		colorize: destination === 1 && process.stdout.isTTY === true,
		translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l",
		singleLine: true,
		sync: true,
		destination,
	});
}
