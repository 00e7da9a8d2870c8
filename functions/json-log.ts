import type { FunctionsLog } from "./deps.ts";

/** One line of JSON for each entry, on the console: what the clouds collect. */
export const jsonLog: FunctionsLog = {
	info: (fields, message) => write("info", fields, message),
	error: (fields, message) => write("error", fields, message),
};

function write(level: "info" | "error", fields: Record<string, unknown>, message: string): void {
	const { err, ...rest } = fields;
	const error =
		err instanceof Error ? { error: err.stack ?? err.message } : err === undefined ? {} : { error: String(err) };
	// biome-ignore lint/suspicious/noConsole: the console is the only log that a cloud function has
	console[level](JSON.stringify({ level, ...rest, ...error, message }));
}
