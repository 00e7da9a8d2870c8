/** The Node.js entry: the functions in a process of their own, or beside a media node. */

import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { createPresigner, type Presign, type PresignerOptions } from "#shared/access/presign.ts";
import type { Clock } from "#shared/clock.ts";
import { InputError, SluiceError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { createApp } from "./app.ts";
import type { Deps, FunctionsLog } from "./deps.ts";
import { builtConsole } from "./node-console.ts";
import { nodeHashes } from "./node-hashes.ts";
import { nodeTransport } from "./node-send.ts";
import type { LocalNode } from "./nodes/live-streams.ts";
import { usageDaysOf } from "./routes/usage.ts";
import type { Settings } from "./settings.ts";
import { TokenAccess } from "./tokens/token-access.ts";
import { viewerOfNode } from "./tokens/viewer.ts";
import { countUsage, flushUsage } from "./usage/functions-usage.ts";
import { drainOutbox } from "./webhooks/drain.ts";

export type FunctionsServerOptions = {
	readonly settings: Settings;
	readonly store: ObjectStore;
	/** Where presigned URLs lead; `null` for a bucket that has none. */
	readonly presign: Omit<PresignerOptions, "hashes" | "clock"> | null;
	readonly address: { readonly host: string; readonly port: number };
	readonly clock: Clock;
	readonly log: FunctionsLog;
	/** Whether each request to the bucket costs something: then others' events are looked for once a minute only. */
	readonly isBilled: boolean;
};

/** How often the outbox is looked at when nobody says that there is something: other processes may have written it. */
const DRAIN_INTERVAL_MS = 5_000;
/** The same where that is billed: it is most of what an idle node costs. */
const BILLED_DRAIN_INTERVAL_MS = 60_000;
/** After a failure, since what this process was told of may still be there. */
const DRAIN_RETRY_MS = 5_000;
const CLOSE_MS = 5_000;
/** How often it is looked whether usage is to be written. */
const USAGE_INTERVAL_MS = 10_000;
/** And whether the day before is to be summed up. */
const FOLD_INTERVAL_MS = 15 * 60_000;

type NodeServer = ReturnType<typeof serve>;

export class FunctionsServer implements AsyncDisposable {
	readonly #server: NodeServer;
	#deps: Deps;
	/** Replaced when the settings change. */
	readonly #app: { fetch: ReturnType<typeof createApp>["fetch"] };
	readonly #address: AddressInfo;
	readonly #drainIntervalMs: number;
	#draining: Promise<void> | null = null;
	#again = false;
	/** Why webhooks could not be delivered the last time; `null`: they could. */
	#drainFault: string | null = null;
	#timer: Disposable | null = null;
	readonly #timers = new DisposableStack();
	#folding: Promise<void> = Promise.resolve();
	#closing: Promise<void> | null = null;

	private constructor(
		server: NodeServer,
		deps: Deps,
		app: { fetch: ReturnType<typeof createApp>["fetch"] },
		address: AddressInfo,
		drainIntervalMs: number,
	) {
		this.#server = server;
		this.#app = app;
		this.#address = address;
		this.#drainIntervalMs = drainIntervalMs;
		this.#deps = deps;
		const { clock } = deps;
		this.#timers.use(clock.every(USAGE_INTERVAL_MS, () => void flushUsage(this.#deps)));
		this.#timers.use(
			clock.every(FOLD_INTERVAL_MS, () => {
				this.#folding = usageDaysOf(this.#deps).foldYesterday();
			}),
		);
		this.poke();
	}

	/** @throws InputError `listen.in_use` */
	static async open(options: FunctionsServerOptions): Promise<FunctionsServer> {
		let opened: FunctionsServer | null = null;
		const deps = { ...depsOf(options), onDelivery: () => opened?.poke() };
		const { host, port } = options.address;
		const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>();
		const app = { fetch: createApp(deps).fetch };
		const server = serve(
			{ fetch: (request, env) => app.fetch(request, env), port, ...(host === "" ? {} : { hostname: host }) },
			resolve,
		);
		server.once("error", (cause) => reject(listenError(cause, port)));
		const address = await promise;
		server.removeAllListeners("error");
		server.on("error", (error) => options.log.error({ err: error }, "The functions' socket reports an error"));
		const drainIntervalMs = options.isBilled ? BILLED_DRAIN_INTERVAL_MS : DRAIN_INTERVAL_MS;
		opened = new FunctionsServer(server, deps, app, address, drainIntervalMs);
		return opened;
	}

	get port(): number {
		return this.#address.port;
	}

	/** Takes over what the node's configuration says of paths now. */
	configure(settings: Pick<Settings, "pathDefaults" | "paths">): void {
		this.#deps = { ...this.#deps, settings: { ...this.#deps.settings, ...settings } };
		this.#app.fetch = createApp(this.#deps).fetch;
	}

	/** Takes over a node in the same process, which tells of its streams without a bucket. */
	showNode(localNode: LocalNode): void {
		this.#deps = { ...this.#deps, localNode };
		this.#app.fetch = createApp(this.#deps).fetch;
	}

	/** Says that there may be something to deliver. Returns at once. */
	poke(): void {
		if (this.#closing !== null) return;
		if (this.#draining !== null) {
			this.#again = true;
			return;
		}
		this.#timer?.[Symbol.dispose]();
		this.#timer = null;
		this.#draining = this.#drain().then((waitMs) => {
			this.#draining = null;
			const isPoked = this.#again;
			this.#again = false;
			if (this.#closing !== null) return;
			this.#timer = this.#deps.clock.after(isPoked ? 0 : waitMs, () => this.poke());
		});
	}

	/** Stops listening, lets requests finish for a while, and waits for a delivery that is under way. Idempotent. */
	[Symbol.asyncDispose](): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		this.#timer?.[Symbol.dispose]();
		this.#timers.dispose();
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		if ("closeIdleConnections" in this.#server) this.#server.closeIdleConnections();
		const force = this.#deps.clock.after(CLOSE_MS, () => {
			if ("closeAllConnections" in this.#server) this.#server.closeAllConnections();
		});
		await closed;
		force[Symbol.dispose]();
		await this.#draining;
		await this.#folding;
		await flushUsage(this.#deps, { now: true });
	}

	/** Drains once, and says how long to wait for the next time. Never fails. */
	async #drain(): Promise<number> {
		const { clock, log } = this.#deps;
		try {
			const { nextDueMs } = await drainOutbox(this.#deps);
			if (this.#drainFault !== null) log.info({}, "Webhooks are delivered again");
			this.#drainFault = null;
			return Math.min(this.#drainIntervalMs, Math.max(50, (nextDueMs ?? Number.POSITIVE_INFINITY) - clock.now()));
		} catch (error) {
			const fault = error instanceof SluiceError ? error.message : null;
			// A bucket that is away says the same every time: once is enough.
			if (fault === null || fault !== this.#drainFault) {
				log.error(
					error instanceof SluiceError ? { code: error.code, reason: error.message } : { err: error },
					"Webhooks could not be delivered; they wait in the bucket",
				);
			}
			this.#drainFault = fault ?? "";
			return DRAIN_RETRY_MS;
		}
	}
}

function depsOf({ settings, store: bucket, presign, clock, log, isBilled }: FunctionsServerOptions): Deps {
	// It looks for webhooks though nobody asks it for anything.
	const counted = countUsage({ store: bucket, clock, log, writesShared: isBilled });
	const { store } = counted;
	const tokens = new TokenAccess({ store, clock, settings, sharesReads: true });
	return {
		...counted,
		clock,
		settings,
		log,
		verifier: tokens.verifier,
		tokens,
		viewerOf: viewerOfNode,
		presign: presign === null ? null : presignerOf(presign, clock),
		webhooks: nodeTransport({ allowInsecure: settings.webhookAllowInsecure, now: () => clock.now() }),
		console: builtConsole(),
		sharesReads: true,
	};
}

function presignerOf(options: Omit<PresignerOptions, "hashes" | "clock">, clock: Clock): Presign {
	return createPresigner({ ...options, hashes: nodeHashes, clock });
}

function listenError(cause: Error, port: number): Error {
	if (!("code" in cause) || cause.code !== "EADDRINUSE") return cause;
	return new InputError(
		"listen.in_use",
		`Port ${port} (functionsAddress) is in use. Stop what uses it, or set functionsAddress to another port`,
		{
			data: { port, key: "functionsAddress", transport: "tcp" },
			cause,
		},
	);
}
