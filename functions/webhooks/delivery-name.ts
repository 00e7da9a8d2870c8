/**
 * What the key of a delivery says of it, so that a listing needs no read for each entry: when, which event of which path,
 * to which endpoint, how many attempts there were and what the last one came to.
 */

import { isPathName, type PathName } from "#shared/path-name.ts";
import {
	type DeliveryState,
	deliveriesPrefix,
	deliveryKey,
	deliveryTimeOf,
	keyToPath,
	NO_PATH,
} from "#shared/store/key.ts";

/** Why there was no answer, or no attempt. */
const REASONS = {
	none: "not attempted yet",
	timeout: "no answer in time",
	refused: "the connection was refused",
	reset: "the connection was reset",
	dns: "the name does not resolve",
	address: "the address is not allowed",
	failed: "the request failed",
	deleted: "the endpoint was deleted",
	disabled: "the endpoint is disabled",
} as const;
type Reason = keyof typeof REASONS;
/** An HTTP status, in digits, or why there is none. */
export type Outcome = Reason | `${number}`;

export type DeliverySummary = {
	readonly state: DeliveryState;
	/** When it is due, came through, or was given up: milliseconds since the Unix epoch. */
	readonly atMs: number;
	/** The number of the event; 0 where it has none. */
	readonly sequence: number;
	readonly path: PathName | null;
	readonly eventId: string;
	readonly endpointId: string;
	readonly attempts: number;
	readonly outcome: Outcome;
	readonly type: string;
};

export const MAX_NAME_LENGTH = 600;

const SUMMARY =
	/^(evt_[0-9A-Za-z]{8,64})~(wh_[0-9a-z]{8,40})~(\d{1,2})~([a-z]{1,10}|\d{1,3})~([a-z]{1,32}(?:\.[a-z]{1,32}){0,2})\.json$/;
const KEY = /^\d{15}-(\d{12})\/([^/]{1,255})\/([^/]+)$/;
const NAME = /^(\d{15}-\d{12})~(.+)~([^~]+~[^~]+~[^~]+~[^~]+~[^~]+)$/;

export function keyOf(of: DeliverySummary): string {
	const { state, atMs, sequence, path, eventId, endpointId, attempts, outcome, type } = of;
	const summary = [eventId, endpointId, attempts, outcome, type].join("~");
	return deliveryKey(state, atMs, { sequence, path, summary });
}

/** Reads a key; `null` when it is no delivery's. */
export function summaryOf(state: DeliveryState, key: string): DeliverySummary | null {
	const atMs = deliveryTimeOf(state, key);
	const [, sequence = "", folder = "", file = ""] = KEY.exec(key.slice(deliveriesPrefix(state).length)) ?? [];
	const [, eventId = "", endpointId = "", attempts = "", outcome = "", type = ""] = SUMMARY.exec(file) ?? [];
	const path = keyToPath(folder);
	if (atMs === null || eventId === "" || !isOutcome(outcome) || !(folder === NO_PATH || isPathName(path))) return null;
	return {
		state,
		atMs,
		sequence: Number(sequence),
		path: folder === NO_PATH ? null : (path as PathName),
		eventId,
		endpointId,
		attempts: Number(attempts),
		outcome,
		type,
	};
}

/** The key in the form that one segment of an address takes as it is. */
export function nameOf(state: DeliveryState, key: string): string {
	return key.slice(deliveriesPrefix(state).length, -".json".length).replaceAll("/", "~");
}

/** The key that a name stands for; `null` when it is none. */
export function keyOfName(state: DeliveryState, name: string): string | null {
	const [, time, folder, summary] = NAME.exec(name.slice(0, MAX_NAME_LENGTH)) ?? [];
	const key = `${deliveriesPrefix(state)}${time}/${folder}/${summary}.json`;
	return summaryOf(state, key) === null ? null : key;
}

/** The status of an answer; `null` when there was none. */
export function statusOf(outcome: Outcome): number | null {
	return Object.hasOwn(REASONS, outcome) ? null : Number(outcome);
}

/** An outcome in words. */
export function describeOutcome(outcome: Outcome): string {
	return statusOf(outcome) === null ? REASONS[outcome as Reason] : `HTTP ${outcome}`;
}

export function isOutcome(text: string): text is Outcome {
	return Object.hasOwn(REASONS, text) || /^\d{3}$/.test(text);
}
