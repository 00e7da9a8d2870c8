import type { Presign } from "#shared/access/presign.ts";
import type { TokenVerifier } from "#shared/access/token.ts";
import type { Clock } from "#shared/clock.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { UsageMeter } from "#shared/usage/usage-meter.ts";
import type { ConsoleFiles } from "./console-files.ts";
import type { LocalNode } from "./nodes/live-streams.ts";
import type { Settings } from "./settings.ts";
import type { TokenAccess } from "./tokens/token-access.ts";
import type { ViewerOf } from "./tokens/viewer.ts";
import type { Served } from "./usage/served.ts";
import type { WebhookTransport } from "./webhooks/transport.ts";

/** One line of a structured log. Never a token or a key. */
export interface FunctionsLog {
	/** A line for each playlist and segment of each viewer. Left out where nobody reads such lines. */
	debug?(fields: Record<string, unknown>, message: string): void;
	info(fields: Record<string, unknown>, message: string): void;
	error(fields: Record<string, unknown>, message: string): void;
}

/** All that the functions need of the world: what an entry brings, and a test replaces. */
export type Deps = {
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly settings: Settings;
	/** That of {@link Deps.tokens}: for requests that are not about watching. */
	readonly verifier: TokenVerifier;
	readonly tokens: TokenAccess;
	/** Who asks, as the platform knows it. */
	readonly viewerOf: ViewerOf;
	/** Presigns URLs of the bucket; `null` where it has none, as a folder does. */
	readonly presign: Presign | null;
	readonly webhooks: WebhookTransport;
	/** Says that a delivery is due now. Left out where a schedule looks for them. Returns at once. */
	readonly onDelivery?: () => void;
	/** The built console; `null` where there is none. */
	readonly console: ConsoleFiles | null;
	readonly log: FunctionsLog;
	/** Whether one request may wait for what another one reads. Not on Workers, where a request's reads end with it. */
	readonly sharesReads: boolean;
	/** Counts what viewers are served; left out, the application counts for itself who watches, and no usage. */
	readonly served?: Served;
	/** What is counted of the requests to the bucket, and of what is served. Left out: nothing. */
	readonly usage?: UsageMeter;
	/** The node in the same process. */
	readonly localNode?: LocalNode;
};
