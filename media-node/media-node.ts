/**
 * The wiring of a media node. Every part is opened here, and put on one stack: the order below is the order in which a
 * node starts and, reversed, the one in which it stops.
 */

import path from "node:path";
import { remoteKeys } from "#shared/access/remote-keys.ts";
import { publicJwks } from "#shared/access/signing-key.ts";
import { createTokenVerifier } from "#shared/access/token.ts";
import type { Clock } from "#shared/clock.ts";
import { durationMs } from "#shared/config/duration.ts";
import { DEFAULT_PATH_CONFIG, layeredPathConfig, type PathConfig } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import { StoreError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { createAuthenticator } from "./access/authenticator.ts";
import { MetricsServer } from "./api/metrics-server.ts";
import { RetentionSweeper } from "./bucket/retention-sweeper.ts";
import { addressOf } from "./config/address.ts";
import type { NodeSecrets } from "./config/secrets.ts";
import { sizeBytes } from "#shared/config/scalar.ts";
import { ALL_OTHERS, type Settings } from "#shared/config/settings.ts";
import { ConfigWatch, type PathConfigs } from "./control/config-watch.ts";
import { EventReporter } from "./control/event-reporter.ts";
import { LiveMarks } from "./control/live-marks.ts";
import { LiveHls } from "./live-hls.ts";
import type { Logger } from "./log.ts";
import { createMetrics } from "./node-metrics.ts";
import { PathTable } from "./paths/path-table.ts";
import { RtspServer } from "./rtsp/server.ts";
import type { StreamTable } from "./stream/publication.ts";
import { StreamEvents } from "./stream-events.ts";

export type MediaNodeOptions = {
	readonly settings: Settings;
	readonly secrets: NodeSecrets;
	readonly store: ObjectStore;
	readonly clock: Clock;
	readonly log: Logger;
	/** An event is in the outbox. */
	readonly onEvent?: () => void;
};

export class MediaNode implements AsyncDisposable {
	readonly table: PathTable;
	/** `null` when it is switched off. */
	readonly rtsp: RtspServer | null;
	readonly #parts: AsyncDisposableStack;

	private constructor(table: PathTable, rtsp: RtspServer | null, parts: AsyncDisposableStack) {
		this.table = table;
		this.rtsp = rtsp;
		this.#parts = parts;
	}

	/** Starts a node, whether its bucket answers or not. @throws InputError `listen.in_use`, `config.invalid` */
	static async open(options: MediaNodeOptions, signal: AbortSignal): Promise<MediaNode> {
		await using parts = new AsyncDisposableStack();
		const { settings, secrets, store, clock, log } = options;
		const nodeId = settings.nodeId ?? secrets.nodeId;
		const metrics = createMetrics();

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
		const events = new StreamEvents({ reporter, marks, nodeId, clock, log });
		events.killed(left);

		const hls = parts.use(
			new LiveHls({
				store,
				clock,
				log,
				nodeId,
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
			}),
		);

		const initial = configsOf(settings, new Map());
		const table: PathTable = new PathTable({
			clock,
			log,
			...initial,
			onPublish: (name, config, stop) => hls.prepare(name, config, stop),
		});
		let isStopping = false;
		parts.defer(() => {
			isStopping = true;
			table.close();
		});
		table.onStream(events);
		table.onStream({
			streamBegan: (stream) => hls.begin(stream),
			streamEnded: ({ path: name }) => {
				// A node that stops leaves its playlists open: the next one, or this one after its restart, goes on with them.
				if (!isStopping) hls.end(name);
			},
		});

		const configOf = (name: PathName): PathConfig | null => current.paths.get(name) ?? current.others;
		let current = initial;
		parts.use(
			await ConfigWatch.open(
				{
					store,
					clock,
					log,
					onChange: (documents) => {
						current = configsOf(settings, documents);
						table.apply(current.paths, current.others);
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
				retentionMsOf: (name) => {
					const config = configOf(name);
					return config === null ? null : durationMs(config.hlsRetention);
				},
			}),
		);

		const rtsp = settings.rtsp ? parts.use(await openRtsp(options, gated(table, hls))) : null;
		metrics.watch({ table, hls, reporter, rtsp });
		if (settings.metrics) {
			parts.use(await MetricsServer.open({ ...addressOf(settings.metricsAddress), registry: metrics.registry, log }));
		}
		return new MediaNode(table, rtsp, parts.move());
	}

	/** Stops taking media, brings what is left to the bucket or to disk, and ends. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.#parts.disposeAsync();
	}
}

/** The table as doors see it: a timeline that was taken for a publisher that was not let in is given back. */
function gated(table: PathTable, hls: LiveHls): StreamTable {
	return {
		async publish(request, signal) {
			try {
				return await table.publish(request, signal);
			} catch (error) {
				await hls.release(request.path);
				throw error;
			}
		},
		read: (name, signal) => table.read(name, signal),
	};
}

function openRtsp({ settings, secrets, clock, log }: MediaNodeOptions, table: StreamTable): Promise<RtspServer> {
	const { authJWTJWKS: url } = settings;
	const keys = url === "" ? publicJwks(secrets.signingKeys) : remoteKeys({ url, clock, fetch });
	const authenticator = createAuthenticator({
		users: settings.authInternalUsers,
		verifier: createTokenVerifier({ keys, clock }),
		streamKeySecrets: secrets.streamKeySecrets,
		clock,
	});
	return RtspServer.open({
		address: addressOf(settings.rtspAddress),
		rtpAddress: addressOf(settings.rtpAddress),
		rtcpAddress: addressOf(settings.rtcpAddress),
		transports: settings.rtspTransports.filter((name) => name !== "multicast"),
		readTimeoutMs: durationMs(settings.readTimeout),
		writeTimeoutMs: durationMs(settings.writeTimeout),
		table,
		authenticator,
		clock,
		log,
	});
}

type Configs = { readonly paths: ReadonlyMap<string, PathConfig>; readonly others: PathConfig | null };

/** The settings of every path: a document in the bucket goes before the file, which goes before its `pathDefaults`. */
function configsOf({ pathDefaults, paths }: Settings, documents: PathConfigs): Configs {
	const defaults = pathDefaults ?? DEFAULT_PATH_CONFIG;
	const names = new Set([...Object.keys(paths).filter((name) => name !== ALL_OTHERS), ...documents.keys()]);
	const others = paths[ALL_OTHERS];
	return {
		paths: new Map(
			[...names].map((name) => [
				name,
				layeredPathConfig(defaults, paths[name] ?? {}, documents.get(name as PathName) ?? {}),
			]),
		),
		others: others === undefined ? null : layeredPathConfig(defaults, others),
	};
}
