import type { Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import type { Logger } from "../log.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";

/** A destination as it is configured. */
export type ForwardSettings = PathConfig["forward"][number];

/** What a forwarding is given to send the stream of a path on. */
export type ForwardContext = {
	/** With its variables put in. It may hold credentials: never for a log. */
	readonly url: string;
	readonly settings: ForwardSettings;
	readonly stream: ReadableStreamOfPath;
	readonly clock: Clock;
	readonly log: Logger;
	/** How long the other side may be silent. */
	readonly timeoutMs: number;
	/** Media flow from now on; `bytesSent` tells how many bytes of them went out. Called once for each run. */
	readonly onForwarding: (bytesSent: () => number) => void;
};

/** A protocol in which streams are sent on. What it cannot do for this version of the configuration, it says by throwing. */
export type ForwardDriver = {
	/** The beginnings of the URLs that are its own. */
	readonly schemes: readonly string[];
	/**
	 * Connects, and sends the stream until the signal aborts, the stream ends, or the other side fails. The caller tries
	 * again later.
	 * @throws SluiceError why it ended; anything else is a bug
	 */
	run(context: ForwardContext, signal: AbortSignal): Promise<never>;
};
