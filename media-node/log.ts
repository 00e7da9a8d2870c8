import type { Logger as PinoLogger } from "pino";

/** A structured logger. Lines carry `path`, `session` and `code` where they apply; never a token or a key. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error"> & {
	child(bindings: Record<string, unknown>): Logger;
};
