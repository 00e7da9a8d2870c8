/**
 * Every object key there is, one function per kind of object. `docs/layout.md` says who writes each of them.
 *
 * A path name may hold slashes, which would make the folders of `a` and `a/b` overlap; in a key its slashes are `~`,
 * a character that no path name has.
 */

import type { PathName } from "#shared/path-name.ts";

/** Twelve digits: at one segment a second they last 31,000 years, and they sort as text. */
const NUMBER_DIGITS = 12;

function padded(n: number): string {
	if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`Cannot make a key: ${n} is not a whole number from 0`);
	return String(n).padStart(NUMBER_DIGITS, "0");
}

export function pathToKey(path: PathName): string {
	return path.replaceAll("/", "~");
}

export function keyToPath(segment: string): string {
	return segment.replaceAll("~", "/");
}

export const STREAMS_PREFIX = "streams/";
export const streamPrefix = (path: PathName): string => `${STREAMS_PREFIX}${pathToKey(path)}/`;

/** Who owns a stream's timeline, until when, in which epoch. Written conditionally by nodes. */
export const leaseKey = (path: PathName): string => `${streamPrefix(path)}lease.json`;
/** A hint at the newest record. Written at most once a second, conditionally, by the owner. */
export const headKey = (path: PathName): string => `${streamPrefix(path)}head.json`;
export const recordsPrefix = (path: PathName): string => `${streamPrefix(path)}records/`;
/** Commit number `n` of a stream's timeline. Created once, never changed. */
export const recordKey = (path: PathName, n: number): string => `${recordsPrefix(path)}${padded(n)}.json`;
export const indexPrefix = (path: PathName): string => `${streamPrefix(path)}index/`;
/** The segments that began in an hour, such as `2026-01-31T09` (UTC). Written conditionally, behind the records, by the owner. */
export const indexKey = (path: PathName, hour: string): string => `${indexPrefix(path)}${hour}.json`;
export const mediaPrefix = (path: PathName): string => `${streamPrefix(path)}media/`;
/** A media or init segment. Created once, never changed. `file` is the last part of its URL too. */
export const mediaKey = (path: PathName, file: string): string => `${mediaPrefix(path)}${file}`;

/** Where the names of an epoch's segment begin. They sort as segments are committed, which retention relies on. */
export const mediaPosition = (epoch: number, serial: number): string => `${padded(epoch)}-${padded(serial)}-`;
/** The name of a media segment: unique for ever, since an epoch has one owner and an owner counts `serial` up. */
export const mediaFile = (epoch: number, serial: number, rendition: string): string =>
	`${mediaPosition(epoch, serial)}${rendition}.m4s`;
export const INIT_FILE_PREFIX = "init-";
/** The name of an init segment, by the first segment that needs it. Unique for ever: what was deleted never returns. */
export const initFile = (epoch: number, serial: number, rendition: string): string =>
	`${INIT_FILE_PREFIX}${mediaPosition(epoch, serial)}${rendition}.mp4`;

export const eventsPrefix = (path: PathName): string => `events/${pathToKey(path)}/`;
/** Event `sequence` of a stream: created once by the node; its number has no gap. */
export const eventKey = (path: PathName, sequence: number): string => `${eventsPrefix(path)}${padded(sequence)}.json`;
export const OUTBOX_PREFIX = "outbox/";
/** An event that no delivery was planned for yet. Written by the node, deleted by the functions. */
export const outboxKey = (path: PathName, sequence: number): string =>
	`${OUTBOX_PREFIX}${pathToKey(path)}/${padded(sequence)}.json`;

export const DELIVERY_STATES = ["pending", "done", "dead"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
export const deliveriesPrefix = (state: DeliveryState): string => `deliveries/${state}/`;

const TIME_DIGITS = 15;
const LAST_TIME = 10 ** TIME_DIGITS - 1;

/**
 * Where the deliveries of a moment begin, in milliseconds since the Unix epoch. Those that wait sort by when they are due,
 * so that a listing gives the most urgent first; the others by how long they have been there, the newest first.
 */
export const deliveryPosition = (state: DeliveryState, ms: number): string => {
	const time = Math.trunc(Math.min(LAST_TIME, Math.max(0, state === "pending" ? ms : LAST_TIME - ms)));
	return `${deliveriesPrefix(state)}${String(time).padStart(TIME_DIGITS, "0")}`;
};
/** The time of such a key; `null` when it is none. */
export const deliveryTimeOf = (state: DeliveryState, key: string): number | null => {
	const prefix = deliveriesPrefix(state);
	const digits = /^\d{15}(?=-)/.exec(key.startsWith(prefix) ? key.slice(prefix.length) : "")?.[0];
	if (digits === undefined) return null;
	return state === "pending" ? Number(digits) : LAST_TIME - Number(digits);
};
/** In the place of a path: the delivery is of no path. */
export const NO_PATH = "~";
/**
 * One delivery of one event to one endpoint. Of the same moment, events sort by their numbers. `summary` is what a listing
 * says of it, without slashes.
 */
export const deliveryKey = (
	state: DeliveryState,
	ms: number,
	{ sequence, path, summary }: { sequence: number | null; path: PathName | null; summary: string },
): string =>
	`${deliveryPosition(state, ms)}-${padded(sequence ?? 0)}/${path === null ? NO_PATH : pathToKey(path)}/${summary}.json`;
/** Who is draining the outbox right now. */
export const DELIVERY_LEASE_KEY = "deliveries/lease.json";

export const PATH_CONFIGS_PREFIX = "config/paths/";
export const pathConfigKey = (path: PathName): string => `${PATH_CONFIGS_PREFIX}${pathToKey(path)}.json`;
/** Changes with every write of a path configuration: one cheap conditional read tells a node that nothing is new. */
export const CONFIG_VERSION_KEY = "config/version.json";
/** Signing keys (sealed) and revocations, in one object: an instance reads it at most every five seconds. */
export const ACCESS_KEY = "config/access.json";
/** All API keys, by their hashes. */
export const API_KEYS_KEY = "config/api-keys.json";
/** When each of them was last used, to the hour. */
export const API_KEY_USE_KEY = "config/api-key-use.json";
/** Sorts the newest version first, so that a listing of one key finds it. */
const FIRST_VERSION_ORDER = 10 ** NUMBER_DIGITS - 1;
export const pathHistoryPrefix = (path: PathName): string => `config/history/${pathToKey(path)}/`;
/** Version `n`, from 1, of the configuration of a path. Created once, never changed. */
export const pathVersionKey = (path: PathName, n: number): string =>
	`${pathHistoryPrefix(path)}${padded(FIRST_VERSION_ORDER - n)}.json`;
export const AUDIT_PREFIX = "audit/";
/** Where the audit log of a moment begins: milliseconds since the Unix epoch. */
export const auditPosition = (ms: number): string =>
	AUDIT_PREFIX + new Date(ms).toISOString().replace("T", "/").replaceAll(":", "-").replace("Z", "");
/** One administrative change, by day and time. Created once, never changed. */
export const auditKey = (ms: number, id: string): string => `${auditPosition(ms)}-${id}.json`;
export const WEBHOOKS_PREFIX = "config/webhooks/";
export const webhookKey = (id: string): string => `${WEBHOOKS_PREFIX}${id}.json`;

export const NODES_PREFIX = "nodes/";
export const HEARTBEAT_FILE = "heartbeat.jws";
export const REGISTRATION_FILE = "registration.json";
/** What a node says of itself, signed. Written by the node every few seconds. */
export const nodeHeartbeatKey = (id: string): string => `${NODES_PREFIX}${id}/${HEARTBEAT_FILE}`;
/** The public key of a node, and whether it is to drain. Written by the functions. */
export const nodeRegistrationKey = (id: string): string => `${NODES_PREFIX}${id}/${REGISTRATION_FILE}`;
export const NODE_STREAMS_FILE = "streams.json";
/** What a node says of its live streams. Its heartbeat has the hash. Written by the node when it says something new. */
export const nodeStreamsKey = (id: string): string => `${NODES_PREFIX}${id}/${NODE_STREAMS_FILE}`;

export const USAGE_PREFIX = "usage/";
/** `day`: yyyy-mm-dd. */
export const usageDayPrefix = (day: string): string => `${USAGE_PREFIX}${day}/`;
/** What one writer counted in one hour: totals, overwritten by it as they grow. `hour`: 0 to 23, of UTC. */
export const usageHourKey = (day: string, hour: number, writer: string): string =>
	`${usageDayPrefix(day)}${String(hour).padStart(2, "0")}/${writer}.json`;
/** The sum of a day that is over. Created once, never changed. */
export const usageDayKey = (day: string): string => `${usageDayPrefix(day)}day.json`;
