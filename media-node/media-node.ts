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
import type { StreamEventType } from "#shared/events/event.ts";
import type { NodeStream } from "#shared/nodes/node-streams.ts";
import type { PathName } from "#shared/path-name.ts";
import { GoneError, StoreError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { countedStore } from "#shared/usage/counted-store.ts";
import type { AccessRequest } from "./access/access.ts";
import { Failures } from "./access/failures.ts";
import { SwitchableAuthenticator } from "./access/switchable.ts";
import { type AcmeSettings, CertificateKeeper } from "./acme/certificate-keeper.ts";
import { openControlApi } from "./api/control-api.ts";
import type { ControlParts } from "./api/control-route.ts";
import { openMetrics } from "./api/metrics-api.ts";
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
import { mpegtsSource } from "./datagram/mpegts-source.ts";
import { rtpSource } from "./datagram/rtp-source.ts";
import { fileSource } from "./file/file-source.ts";
import { playOffline } from "./file/offline-clip.ts";
import { hookEnvironment } from "./hooks/hook-environment.ts";
import { HookRunner } from "./hooks/hook-runner.ts";
import { type HttpServer, type HttpServerSettings, httpServerSettings } from "./http/http-server.ts";
import { LiveHls } from "./live-hls.ts";
import type { Logger } from "./log.ts";
import { accessSettings, nodeAuthenticator } from "./node-access.ts";
import { heartbeatFacts, heartbeatIntervalMs } from "./node-heartbeat.ts";
import { createMetrics } from "./node-metrics.ts";
import {
	acmeSettings,
	demandSettings,
	gated,
	maxPacketBytes,
	rtspServerSettings,
	told,
	webrtcHosts,
	webrtcServerSettings,
	withNodeCertificate,
} from "./node-settings.ts";
import { readingSessions, watchStreams } from "./node-streams.ts";
import { PathHooks } from "./path-hooks.ts";
import { AlwaysAvailable } from "./paths/always-available.ts";
import { Forwards } from "./paths/forwards.ts";
import { PathConfigs } from "./paths/path-configs.ts";
import { PathTable } from "./paths/path-table.ts";
import { Sources } from "./paths/sources.ts";
import { Replaceable } from "./replaceable.ts";
import { rtspForward } from "./rtsp/rtsp-forward.ts";
import { rtspSource } from "./rtsp/rtsp-source.ts";
import { RtspServer, type RtspServerSettings } from "./rtsp/server.ts";
import { withMpegtsDemux } from "./stream/demuxed-publication.ts";
import { StreamEvents } from "./stream-events.ts";
import { SoundInOpus } from "./transcode/opus-of.ts";
import { Transcoders } from "./transcode/transcoders.ts";
import { whepSource } from "./webrtc/client/whep-source.ts";
import { whipForward } from "./webrtc/client/whip-forward.ts";
import { WebRtcServer, type WebRtcServerSettings } from "./webrtc/server.ts";

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
	readonly #rtsp: Replaceable<RtspServerSettings | null, RtspServer>;
	readonly #webrtc: Replaceable<WebRtcServerSettings | null, WebRtcServer>;
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
		servers: {
			readonly rtsp: Replaceable<RtspServerSettings | null, RtspServer>;
			readonly webrtc: Replaceable<WebRtcServerSettings | null, WebRtcServer>;
		},
		apply: (settings: Settings) => Promise<void>,
		parts: AsyncDisposableStack,
	) {
		this.#settings = options.settings;
		this.#log = options.log;
		this.id = options.settings.nodeId ?? options.secrets.nodeId;
		this.table = table;
		this.#health = health;
		this.#rtsp = servers.rtsp;
		this.#webrtc = servers.webrtc;
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
				spoolRoot: path.join(settings.dataDir, "spool"),
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
			rtspPort: () => rtsp.part?.port ?? null,
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
				const demand = demandSettings(sources, hooks, name, configured, query);
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
		const readBufferBytes = settings.udpReadBufferSize;
		const client = { hosts: () => webrtcHosts(settings), readBufferBytes };
		const sources = parts.use(
			new Sources({
				drivers: [
					rtspSource(),
					fileSource(),
					rtpSource({ readBufferBytes }),
					mpegtsSource({ readBufferBytes }),
					whepSource(client),
				],
				table: doors,
				clock,
				log,
				readTimeoutMs: durationMs(settings.readTimeout),
				writeTimeoutMs: durationMs(settings.writeTimeout),
			}),
		);
		const health = parts.use(
			watchStreams({ clock, table, hls, transcoders, rtsp: () => rtsp.part, webrtc: () => webrtc.part }),
		);
		const clips = parts.use(new AlwaysAvailable({ table: doors, clock, log, play: playOffline }));
		table.onStream(clips);
		const forwards = parts.use(
			new Forwards({
				drivers: [rtspForward(), whipForward({ ...client, opusOf: (stream) => sound.opusOf(stream) })],
				clock,
				log,
				timeoutMs: () => durationMs(settings.readTimeout),
			}),
		);
		table.onStream(forwards);
		const applyPaths = () => {
			configs = new PathConfigs({ ...settings, documents });
			table.apply(configs);
			sources.apply(configs);
			clips.apply(configs);
			forwards.apply(configs);
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

		const failures = new Failures({ clock });
		const accessWatch = parts.use(
			// What was granted is asked for again: who was revoked leaves.
			await AccessWatch.open({ store, clock, log, onChange: () => access.recheck() }, signal),
		);
		let authenticator = nodeAuthenticator({ settings, secrets, clock, log, failures, accessWatch });
		const access = parts.use(new SwitchableAuthenticator(authenticator));
		const certificate = parts.use(
			new Replaceable<AcmeSettings | null, CertificateKeeper>(async (acme) =>
				acme === null ? null : CertificateKeeper.open({ ...acme, clock, log }),
			),
		);
		const rtsp: Replaceable<RtspServerSettings | null, RtspServer> = parts.use(
			new Replaceable((serverSettings: RtspServerSettings | null) =>
				serverSettings === null
					? Promise.resolve(null)
					: RtspServer.open({
							...serverSettings,
							table: doors,
							authenticator: access,
							clock,
							log,
							onConnection: (connection) =>
								runner.begin(
									"runOnConnect",
									settings,
									hookEnvironment({ connection, rtspPort: rtsp.part?.port ?? null }),
								),
						}),
			),
		);
		const sound = parts.use(new SoundInOpus({ transcoders, clock, log, configOf }));
		const opusOf = sound.opusOf.bind(sound);
		const webrtc = parts.use(
			new Replaceable(async (server: WebRtcServerSettings | null) =>
				server === null
					? null
					: WebRtcServer.open({ ...server, table: doors, authenticator: access, opusOf, clock, log }),
			),
		);
		parts.use(
			access.onChange(() => {
				rtsp.part?.reauthorize();
				webrtc.part?.reauthorize();
			}),
		);
		usage.watch(() => readingSessions(rtsp.part, webrtc.part));
		metrics.watch({ table, hls, reporter, forwards, transcoders, rtsp: () => rtsp.part, webrtc: () => webrtc.part });
		const authorize = (request: AccessRequest, stop?: AbortSignal) => access.authorize(request, stop);
		const metricsServer = parts.use(
			new Replaceable<HttpServerSettings | null, HttpServer>(async (server) =>
				server === null ? null : openMetrics({ server, registry: metrics.registry, authorize, clock, log }),
			),
		);
		let node: MediaNode | null = null;
		const control: ControlParts = {
			version: options.version,
			startedMs: clock.now(),
			settings: () => settings,
			configure: async (next) => node?.configure(next),
			configs: () => configs,
			paths: () => table.list(),
			forwards: (name) => forwards.list(name),
			sessions: () => rtsp.part?.sessions() ?? [],
			peers: () => webrtc.part?.sessions() ?? [],
			kick: (id) => rtsp.part?.kick(id) === true || webrtc.part?.kick(id) === true,
			refreshKeys: () => authenticator.refresh(),
			authorize,
		};
		const controlApi = parts.use(
			new Replaceable<HttpServerSettings | null, HttpServer>(async (server) =>
				server === null ? null : openControlApi({ server, parts: control, clock, log }),
			),
		);
		const applyServers = async () => {
			// First, since the servers open with its files.
			await certificate.apply(acmeSettings(settings));
			const servers = withNodeCertificate(settings);
			await rtsp.apply(rtspServerSettings(servers));
			await webrtc.apply(webrtcServerSettings(servers));
			await metricsServer.apply(servers.metrics ? httpServerSettings(servers, "metrics") : null);
			await controlApi.apply(servers.api ? httpServerSettings(servers, "api") : null);
		};

		const apply = async (next: Settings) => {
			const isOtherAccess = JSON.stringify(accessSettings(next)) !== JSON.stringify(accessSettings(settings));
			settings = next;
			options.onSettings?.(settings);
			if (isOtherAccess) {
				authenticator = nodeAuthenticator({ settings, secrets, clock, log, failures, accessWatch });
				access.replace(authenticator);
			}
			applyPaths();
			await applyServers();
		};
		await applyServers();
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
					facts: heartbeatFacts({
						clock,
						settings: () => settings,
						table,
						rtsp: () => rtsp.part,
						webrtc: () => webrtc.part,
					}),
					streams: () => health.streams(),
				}),
			);
		}
		node = new MediaNode(options, table, health, { rtsp, webrtc }, apply, parts.move());
		return node;
	}

	/** How the live streams fare, by name. */
	get streams(): readonly NodeStream[] {
		return this.#health.streams();
	}

	/** `null` while it is switched off. */
	get rtsp(): RtspServer | null {
		return this.#rtsp.part;
	}

	/** `null` while it is switched off. */
	get webrtc(): WebRtcServer | null {
		return this.#webrtc.part;
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
