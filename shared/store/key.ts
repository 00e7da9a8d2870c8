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
	`${OUTBOX_PREFIX}${pathToKey(path)}-${padded(sequence)}.json`;

/** Milliseconds since the Unix epoch, so that names sort by time. */
const timePrefix = (ms: number): string => `${String(Math.trunc(ms)).padStart(15, "0")}-`;

export const DELIVERIES_PENDING_PREFIX = "deliveries/pending/";
/** One delivery of one event to one endpoint, due at `dueMs`: a listing gives the most urgent first. */
export const pendingDeliveryKey = (dueMs: number, deliveryId: string): string =>
	`${DELIVERIES_PENDING_PREFIX}${timePrefix(dueMs)}${deliveryId}.json`;
export const DELIVERIES_DONE_PREFIX = "deliveries/done/";
/** A delivery that came through at `doneMs`. Oldest first, so that the old are found to be pruned. */
export const doneDeliveryKey = (doneMs: number, deliveryId: string): string =>
	`${DELIVERIES_DONE_PREFIX}${timePrefix(doneMs)}${deliveryId}.json`;
export const DELIVERIES_DEAD_PREFIX = "deliveries/dead/";
/** A delivery that was given up at `deadMs`. It stays until somebody replays it. */
export const deadDeliveryKey = (deadMs: number, deliveryId: string): string =>
	`${DELIVERIES_DEAD_PREFIX}${timePrefix(deadMs)}${deliveryId}.json`;
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
