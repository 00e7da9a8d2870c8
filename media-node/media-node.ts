/**
 * The wiring of a media node. Every part is opened here, and put on one stack: the order below is the order in which a
 * node starts and, reversed, the one in which it stops.
 */

import path from "node:path";
import type { Clock } from "#shared/clock.ts";
import { durationMs } from "#shared/config/duration.ts";
import type { PathOverrides } from "#shared/config/path-config.ts";
import { sizeBytes } from "#shared/config/scalar.ts";
import type { Settings } from "#shared/config/settings.ts";
import type { StreamEventType } from "#shared/events/event-type.ts";
import type { NodeStream } from "#shared/nodes/node-streams.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, StoreError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { countedStore } from "#shared/usage/counted-store.ts";
import { Failures } from "./access/failures.ts";
import { SwitchableAuthenticator } from "./access/switchable.ts";
import { LeftOpen } from "./bucket/left-open.ts";
import { RetentionSweeper } from "./bucket/retention-sweeper.ts";
import { openNodeKey } from "./config/node-key.ts";
import type { NodeSecrets } from "./config/secrets.ts";
import { AccessWatch } from "./control/access-watch.ts";
import { ConfigWatch } from "./control/config-watch.ts";
import { EventReporter } from "./control/event-reporter.ts";
import { NodeHeartbeat } from "./control/heartbeat.ts";
import { LiveMarks } from "./control/live-marks.ts";
import type { StreamHealth } from "./control/stream-health.ts";
import { UsageReport } from "./control/usage-report.ts";
import { HookRunner } from "./hooks/hook-runner.ts";
import { LiveHls } from "./live-hls.ts";
import type { Logger } from "./log.ts";
import { accessSettings, nodeAuthenticator } from "./node-access.ts";
import { heartbeatFacts, heartbeatIntervalMs } from "./node-heartbeat.ts";
import { createMetrics } from "./node-metrics.ts";
import { NodePaths } from "./node-paths.ts";
import { NodeServers } from "./node-servers.ts";
import { demandSettings, gated, maxPacketBytes, told } from "./node-settings.ts";
import { readingSessions, watchStreams } from "./node-streams.ts";
import { PathHooks } from "./path-hooks.ts";
import { PathConfigs } from "./paths/path-configs.ts";
import { PathTable } from "./paths/path-table.ts";
import type { RtspServer } from "./rtsp/server.ts";
import { withMpegtsDemux } from "./stream/demuxed-publication.ts";
import { StreamEvents } from "./stream-events.ts";
import { SoundInOpus } from "./transcode/opus-of.ts";
import { Transcoders } from "./transcode/transcoders.ts";
import type { WebRtcServer } from "./webrtc/server.ts";

export type MediaNodeOptions = {
	readonly settings: Settings;
	readonly secrets: NodeSecrets;
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	readonly version: string;
	/** An event is in the outbox. */
	readonly onEvent?: () => void;
	/** Other settings are about to be applied, of the file or of the control API. */
	readonly onSettings?: (settings: Settings) => void;
};

/** Settings that a running node cannot take over. */
const FIXED = [
	"nodeId",
	"dataDir",
	"bucket",
	"spoolMaxSize",
	"functions",
	"functionsAddress",
	"publicURL",
	"nodeHeartbeat",
] as const;

export class MediaNode implements AsyncDisposable {
	readonly id: string;
	readonly table: PathTable;
	readonly #health: StreamHealth;
	readonly #servers: NodeServers;
	readonly #apply: (settings: Settings) => Promise<void>;
	readonly #parts: AsyncDisposableStack;
	readonly #log: Logger;
	#settings: Settings;
	/** Changes are made one after the other. */
	#changing: Promise<void> = Promise.resolve();

	private constructor(
		options: MediaNodeOptions,
		table: PathTable,
		health: StreamHealth,
		servers: NodeServers,
		apply: (settings: Settings) => Promise<void>,
		parts: AsyncDisposableStack,
	) {
		this.#settings = options.settings;
		this.#log = options.log;
		this.id = options.settings.nodeId ?? options.secrets.nodeId;
		this.table = table;
		this.#health = health;
		this.#servers = servers;
		this.#apply = apply;
		this.#parts = parts;
	}

	/** Starts a node, whether its bucket answers or not. @throws InputError `listen.in_use`, `config.invalid` */
	static async open(options: MediaNodeOptions, signal: AbortSignal): Promise<MediaNode> {
		await using parts = new AsyncDisposableStack();
		const { secrets, clock, log } = options;
		let { settings } = options;
		const nodeId = settings.nodeId ?? secrets.nodeId;
		const metrics = createMetrics();
		const usage = parts.use(
			new UsageReport({
				store: (meter) => countedStore(options.store, meter),
				...{ clock, log, nodeId },
			}),
		);
		const { store } = usage;

		const reporter = parts.use(
			await EventReporter.open({
				store,
				clock,
				log,
				journalRoot: path.join(settings.dataDir, "events"),
				onPublished: options.onEvent,
			}),
		);
		const { marks, left } = await LiveMarks.open(path.join(settings.dataDir, "live"), log);
		parts.use(marks);
		const tells = (type: StreamEventType) => settings.webhookEvents.includes(type);
		const events = new StreamEvents({ reporter, marks, nodeId, clock, log, tells });
		events.killed(left);

		const spoolRoot = path.join(settings.dataDir, "spool");
		const transcoders = parts.use(new Transcoders({ clock, log, program: () => settings.ffmpegPath }));
		const retentionMsOf = (name: PathName) => {
			const configured = configs.find(name);
			return configured === null ? null : durationMs(configured.config.hlsRetention);
		};
		const hls = parts.use(
			new LiveHls({
				store,
				clock,
				log,
				nodeId,
				transcoders,
				spoolRoot,
				maxSpoolBytes: sizeBytes(settings.spoolMaxSize),
				onFenced: (name, reason) => {
					events.problem(name, reason);
					table.end(name, reason);
				},
				onProblem: (name, problem) => events.problem(name, problem),
				onLost: (name, { reason, segments }) => {
					metrics.segmentsLost.inc({ path: name, reason }, segments);
					events.problem(
						name,
						new StoreError("spool.full", `Segments of ${name} were lost: ${reason}`, { data: { reason } }),
					);
				},
				onUploadSeconds: (seconds) => metrics.uploadSeconds.observe(seconds),
				retentionMsOf,
			}),
		);

		const runner = parts.use(new HookRunner({ clock, log }));
		let documents: ReadonlyMap<PathName, PathOverrides> = new Map();
		let configs = new PathConfigs({ ...settings, documents });
		const hooks = new PathHooks({
			runner,
			log,
			rtspPort: () => servers.rtsp?.port ?? null,
			configured: (name) => table.configuredPath(name),
		});
		const table: PathTable = new PathTable({
			clock,
			log,
			configs,
			maxPacketBytes: () => maxPacketBytes(settings),
			onPublish: (name, config, stop, { role }) => {
				if (heartbeat?.draining === true && role === undefined) throw draining(name);
				// An offline clip never takes the stream of another node.
				return hls.prepare(name, role === "offline" ? { ...config, overridePublisher: false } : config, stop);
			},
			onDemand: (name, configured, query) => {
				const demand = demandSettings(paths.sources, hooks, name, configured, query);
				return demand === null ? null : { ...demand, start: () => told(events, name, demand.start()) };
			},
		});
		let heartbeat: NodeHeartbeat | null = null;
		let isStopping = false;
		parts.defer(() => {
			isStopping = true;
			table.close();
		});
		table.onStream(usage);
		table.onStream(events);
		table.onStream(hooks);
		table.onStream({
			streamBegan: (stream) => hls.begin(stream),
			configChanged: (stream) => hls.reconfigure(stream),
			streamEnded: ({ path: name }) => {
				// A node that stops leaves its playlists open: the next one, or this one after its restart, goes on with them.
				if (!isStopping) hls.end(name);
			},
		});
		const configOf = (name: PathName) => table.configuredPath(name)?.config ?? null;
		const doors = withMpegtsDemux(gated(table, hls), { clock, configOf });
		const running = { rtsp: () => servers.rtsp, webrtc: () => servers.webrtc };
		const health = parts.use(watchStreams({ clock, table, hls, transcoders, ...running }));
		const paths = parts.use(
			new NodePaths({
				settings: () => settings,
				table,
				doors,
				opusOf: (stream) => sound.opusOf(stream),
				clock,
				log,
			}),
		);
		const applyPaths = () => {
			configs = new PathConfigs({ ...settings, documents });
			table.apply(configs);
			paths.apply(configs);
			hooks.apply(configs);
		};

		parts.use(
			await ConfigWatch.open(
				{
					store,
					clock,
					log,
					onChange: (changed) => {
						documents = changed;
						applyPaths();
					},
				},
				signal,
			),
		);
		parts.use(
			new RetentionSweeper({
				store,
				clock,
				log,
				nodeId,
				live: () => hls.uploaders(),
				onDeleted: (name, bytes) => usage.deleted(name, bytes),
				retentionMsOf,
			}),
		);

		parts.use(
			await LeftOpen.open({
				...{ store, clock, log, nodeId, spoolRoot },
				waitMsOf: (name) => durationMs((configOf(name) ?? settings.pathDefaults).publisherReconnectWindow),
				isLive: (name) => hls.isLive(name),
				finish: (name, stop) => hls.finish(name, configOf(name) ?? settings.pathDefaults, stop),
			}),
		);

		const failures = new Failures({ clock });
		const accessWatch = parts.use(
			// What was granted is asked for again: who was revoked leaves.
			await AccessWatch.open({ store, clock, log, onChange: () => access.recheck() }, signal),
		);
		let authenticator = nodeAuthenticator({ settings, secrets, clock, log, failures, accessWatch });
		const access = parts.use(new SwitchableAuthenticator(authenticator));
		const sound = parts.use(new SoundInOpus({ transcoders, clock, log, configOf }));
		let node: MediaNode | null = null;
		const servers: NodeServers = parts.use(
			new NodeServers({
				settings: () => settings,
				table: doors,
				authenticator: access,
				sound,
				runner,
				metrics,
				control: {
					version: options.version,
					startedMs: clock.now(),
					settings: () => settings,
					configure: async (next) => node?.configure(next),
					configs: () => configs,
					paths: () => table.list(),
					forwards: (name) => paths.forwards.list(name),
					refreshKeys: () => authenticator.refresh(),
				},
				clock,
				log,
			}),
		);
		parts.use(access.onChange(() => servers.reauthorize()));
		usage.watch(() => readingSessions(servers.rtsp, servers.webrtc));
		metrics.watch({ table, hls, reporter, forwards: paths.forwards, transcoders, ...running });

		const apply = async (next: Settings) => {
			const isOtherAccess = JSON.stringify(accessSettings(next)) !== JSON.stringify(accessSettings(settings));
			settings = next;
			options.onSettings?.(settings);
			if (isOtherAccess) {
				authenticator = nodeAuthenticator({ settings, secrets, clock, log, failures, accessWatch });
				access.replace(authenticator);
			}
			applyPaths();
			await servers.apply(settings);
		};
		await servers.apply(settings);
		applyPaths();
		const intervalMs = heartbeatIntervalMs(settings);
		if (intervalMs > 0) {
			heartbeat = parts.use(
				NodeHeartbeat.open({
					store,
					clock,
					log,
					id: nodeId,
					key: await openNodeKey(settings.dataDir),
					version: options.version,
					intervalMs,
					registersItself: settings.functions,
					facts: heartbeatFacts({ clock, settings: () => settings, table, ...running }),
					streams: () => health.streams(),
				}),
			);
		}
		node = new MediaNode(options, table, health, servers, apply, parts.move());
		return node;
	}

	/** How the live streams fare, by name. */
	get streams(): readonly NodeStream[] {
		return this.#health.streams();
	}

	/** `null` while it is switched off. */
	get rtsp(): RtspServer | null {
		return this.#servers.rtsp;
	}

	/** `null` while it is switched off. */
	get webrtc(): WebRtcServer | null {
		return this.#servers.webrtc;
	}

	/**
	 * Takes over other settings: only what they touch is restarted.
	 * @throws InputError `listen.in_use`, `config.invalid`: what could be applied is, and the rest stays closed
	 */
	configure(settings: Settings): Promise<void> {
		const change = this.#changing.then(async () => {
			const fixed = FIXED.filter((key) => settings[key] !== this.#settings[key]);
			if (fixed.length > 0) this.#log.warn(`Changes of ${fixed.join(", ")} take effect when the node is started again`);
			this.#settings = settings;
			await this.#apply(settings);
		});
		this.#changing = change.catch(() => undefined);
		return change;
	}

	/** Stops taking media, brings what is left to the bucket or to disk, and ends. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.#parts.disposeAsync();
	}
}

function draining(name: PathName): GoneError {
	return new GoneError(
		"node.draining",
		`This node is about to stop and takes no new streams: publish ${name} to another`,
	);
}
