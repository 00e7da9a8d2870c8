import type { Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import type { Logger } from "../log.ts";
import type { BackChannel } from "../stream/back-channel.ts";
import type { Publication, PublishRequest } from "../stream/publication.ts";

/** What a source is given to bring the stream of a path. */
export type SourceContext = {
	readonly path: PathName;
	/** The configured URL or word, with its variables put in. It may hold credentials: never for a log. */
	readonly source: string;
	readonly config: PathConfig;
	readonly clock: Clock;
	readonly log: Logger;
	/** How long the other side may be silent. */
	readonly readTimeoutMs: number;
	readonly writeTimeoutMs: number;
	/**
	 * Begins to publish, once for each run; `remoteAddress` is host and port of the other side. When the stream throws
	 * the source out, the run's signal aborts. `onKeyFrameNeeded`: as {@link PublishRequest.onKeyFrameNeeded}.
	 * @throws what {@link StreamTable.publish} throws
	 */
	readonly publish: (
		tracks: PublishRequest["tracks"],
		remoteAddress: string,
		backChannel?: BackChannel,
		onKeyFrameNeeded?: (track: number) => void,
	) => Promise<Publication>;
};

/** A kind of source. What it cannot do for this version of the configuration, it says by throwing. */
export type SourceDriver = {
	/** Of whom publishes, such as `rtspSource`. MediaMTX's API has the same names. */
	readonly type: string;
	/** The word, or the beginnings of the URLs, that are its own. */
	readonly schemes: readonly string[];
	/**
	 * Connects, publishes, and brings media until the signal aborts or the other side fails. The caller closes the
	 * publication, and tries again later.
	 * @throws SluiceError why it ended; anything else is a bug
	 */
	run(context: SourceContext, signal: AbortSignal): Promise<never>;
};
