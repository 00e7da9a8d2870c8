/** Starts a media node and, in the same process, the functions: the one file that sees both halves. */

import path from "node:path";
import { issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { addressOf } from "#shared/config/address.ts";
import type { Settings } from "#shared/config/settings.ts";
import { hasCode, InputError, SluiceError } from "#shared/problem.ts";
import { type BucketLocation, parseBucketLocation } from "#shared/store/bucket-location.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { openStore } from "#shared/store/open-store.ts";
import { providerOf } from "#shared/usage/price-table.ts";
import { FunctionsServer } from "../../functions/node.ts";
import { nodeSettingsOf } from "../../functions/nodes/node-settings.ts";
import { DEFAULT_DEAD_DAYS, DEFAULT_DONE_DAYS } from "../../functions/settings.ts";
import { watchFile } from "../config/file-watch.ts";
import { adoptJoined, readJoined } from "../config/joined.ts";
import { firstThatExists, type LoadedSettings, loadSettings, readSettings } from "../config/load-settings.ts";
import { type NodeSecrets, openSecrets } from "../config/secrets.ts";
import { createLogger, type Logger, type LogLevel } from "../log.ts";
import { MediaNode } from "../media-node.ts";
import { banner } from "./banner.ts";
import { portOwner } from "./port-owner.ts";
import { StopSignals } from "./stop-signals.ts";

/** A first token has to last until somebody has read the README. */
const FIRST_TOKEN_MS = 24 * 3_600_000;

/** Runs until SIGINT or SIGTERM. */
export async function start({ config, version }: { config?: string; version: string }): Promise<void> {
	const loaded = await loadJoinedSettings(config);
	const { settings } = loaded;
	const { secrets, created } = await openSecrets(settings.dataDir);
	const { log, setLevel } = createLogger({
		level: settings.logLevel,
		structured: settings.logStructured,
		destinations: settings.logDestinations,
		file: settings.logFile,
	});
	for (const warning of loaded.warnings) log.warn(warning);
	const stop = new StopSignals({ process, clock: systemClock, log });
	try {
		await run({
			settings,
			secrets,
			version,
			log,
			setLevel,
			file: loaded.file,
			stop: stop.signal,
			onReady: async (ports) => {
				stop.started();
				const token = created ? await firstToken(secrets) : null;
				const { file: configFile, written: configWritten } = loaded;
				const found = await firstThatExists();
				const configNamed = found === null || path.resolve(found) !== path.resolve(configFile);
				process.stdout.write(banner({ version, settings, configFile, configWritten, configNamed, token, ...ports }));
			},
		});
	} catch (error) {
		if (hasCode(error, "aborted") && stop.signal.aborted) return;
		throw await withPortOwner(error);
	}
}

/** Of a node that has joined, what it was told then counts like the environment, also when files are read again. */
async function loadJoinedSettings(config: string | undefined): Promise<LoadedSettings> {
	const loaded = await loadSettings(config);
	const joined = await readJoined(loaded.settings.dataDir);
	if (joined === null) return loaded;
	adoptJoined(joined, process.env);
	return { ...(await loadSettings(loaded.file)), written: loaded.written };
}

type RunOptions = {
	readonly settings: Settings;
	readonly secrets: NodeSecrets;
	readonly version: string;
	readonly log: Logger;
	readonly setLevel: (level: LogLevel) => void;
	readonly file: string;
	readonly stop: AbortSignal;
	readonly onReady: (ports: {
		rtspPort: number | null;
		webrtcPort: number | null;
		functionsPort: number | null;
	}) => Promise<void>;
};

/** Opens everything, waits for `stop`, and closes everything in the reverse order. */
async function run({ settings, secrets, version, log, setLevel, file, stop, onReady }: RunOptions): Promise<void> {
	const location = bucketOf(settings);
	await using store = await openStore(location, {}, stop);
	await using functions = settings.functions ? await openFunctions(settings, secrets, location, store, log) : null;
	await using node = await MediaNode.open(
		{
			settings,
			secrets,
			store,
			clock: systemClock,
			log,
			version,
			onEvent: () => functions?.poke(),
			onSettings: (next) => {
				setLevel(next.logLevel);
				functions?.configure(pathsOf(next));
			},
		},
		stop,
	);
	functions?.showNode({ id: node.id, streams: () => node.streams });
	const reload = async () => {
		try {
			const next = await readSettings(file);
			for (const warning of next.warnings) log.warn(warning);
			await node.configure(next.settings);
			log.info(`${file} was read again, and its changes are in effect`);
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			log.error({ code: error.code }, `${file} was read again, and is not right: what runs goes on. ${error.message}`);
		}
	};
	// One after the other: what is read later is newer.
	let reloading = Promise.resolve();
	const onChange = () => {
		reloading = reloading.then(reload).catch((error: unknown) => log.error({ err: error }, "The reload failed"));
	};
	using _watch = watchFile(file, systemClock, onChange);
	process.on("SIGHUP", onChange);
	await onReady({
		rtspPort: node.rtsp?.port ?? null,
		webrtcPort: node.webrtc?.port ?? null,
		functionsPort: functions?.port ?? null,
	});
	await new Promise<void>((resolve) => {
		if (stop.aborted) resolve();
		else stop.addEventListener("abort", () => resolve(), { once: true });
	});
	process.off("SIGHUP", onChange);
	await reloading;
}

/** What the functions are told of paths. */
function pathsOf({ pathDefaults, paths }: Settings): Pick<Settings, "pathDefaults" | "paths"> {
	return { pathDefaults, paths };
}

/** A folder is meant from where the program was started. */
function bucketOf({ bucket }: Settings): BucketLocation {
	const location = parseBucketLocation(bucket);
	return location.kind === "folder" ? { ...location, root: path.resolve(location.root) } : location;
}

/** The bucket, for nodes that join: a folder only serves those on this machine. */
function nodeBucketOf({ bucket }: Settings, location: BucketLocation): string {
	return location.kind === "folder" ? `file:${location.root}` : bucket;
}

function openFunctions(
	settings: Settings,
	secrets: NodeSecrets,
	location: BucketLocation,
	store: ObjectStore,
	log: Logger,
): Promise<FunctionsServer> {
	return FunctionsServer.open({
		settings: {
			signingKeys: secrets.signingKeys,
			streamKeySecrets: secrets.streamKeySecrets,
			publicUrl: settings.publicURL ?? null,
			webhookAllowInsecure: settings.webhookAllowInsecure,
			// Whoever runs a node has its keys: `sluice token --admin`.
			adminKeyHashes: [],
			nodeKeyHashes: [],
			webhookDoneDays: DEFAULT_DONE_DAYS,
			webhookDeadDays: DEFAULT_DEAD_DAYS,
			prices: providerOf(process.env["SLUICE_PRICES"], location),
			...nodeSettingsOf({ ...process.env, SLUICE_BUCKET: nodeBucketOf(settings, location) }),
			...pathsOf(settings),
		},
		store,
		presign: presignOf(location),
		isBilled: location.kind === "s3",
		address: addressOf(settings.functionsAddress),
		clock: systemClock,
		// A line for each request is for those who ask for it.
		log: {
			debug: (fields, message) => log.debug(fields, message),
			info: (fields, message) => log.debug(fields, message),
			error: (fields, message) => log.error(fields, message),
		},
	});
}

/** Presigned URLs need credentials that last: those of the environment, not of a machine's role. */
function presignOf(location: BucketLocation) {
	const {
		AWS_ACCESS_KEY_ID: accessKeyId,
		AWS_SECRET_ACCESS_KEY: secretAccessKey,
		AWS_SESSION_TOKEN: sessionToken,
		AWS_REGION,
	} = process.env;
	if (location.kind !== "s3" || accessKeyId === undefined || secretAccessKey === undefined) return null;
	const region = location.region ?? AWS_REGION ?? "us-east-1";
	const { bucket, prefix, pathStyle, endpoint } = location;
	return {
		endpoint: endpoint ?? `https://s3.${region}.amazonaws.com`,
		region,
		bucket,
		prefix,
		pathStyle,
		accessKeyId,
		secretAccessKey,
		sessionToken,
	};
}

function firstToken({ signingKeys }: NodeSecrets): Promise<string> {
	const grant = {
		permissions: [{ action: "api" as const, path: "" }],
		subject: "admin",
		expiresMs: systemClock.now() + FIRST_TOKEN_MS,
	};
	return issueToken(signingKeys, grant, systemClock);
}

/** Says who has the port that we wanted, where the system tells. */
async function withPortOwner(error: unknown): Promise<unknown> {
	if (!(error instanceof InputError) || !hasCode(error, "listen.in_use")) return error;
	const { port, transport } = error.data as { port: number; transport: "tcp" | "udp" };
	const owner = await portOwner(port, transport);
	return owner === null
		? error
		: new InputError("listen.in_use", error.message.replace("is in use.", `is in use by ${owner}.`), {
				data: error.data,
			});
}
