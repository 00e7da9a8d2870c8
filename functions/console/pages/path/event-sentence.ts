import type { StreamEvent } from "#shared/events/event.ts";
import { STREAM_EVENT_TYPES } from "#shared/events/event-type.ts";
import { protocolName } from "./protocol-name.ts";

/** How an event is shown: a sentence, and how grave it is. */
export type EventSentence = { readonly state: "good" | "warning" | "bad" | "idle"; readonly text: string };

/** One event of a stream in a sentence. Types that are not known yet show as they are. */
export function eventSentence(event: StreamEvent | { type: string; data?: unknown }): EventSentence {
	if (!isKnown(event)) return { state: "idle", text: event.type };
	switch (event.type) {
		case "stream.online": {
			const { protocol, tracks, node } = event.data;
			const what = tracks.length === 0 ? "" : ` with ${listed(tracks.map(({ kind, codec }) => `${kind} in ${codec}`))}`;
			return { state: "good", text: `The stream began on ${node} over ${protocolName(protocol)}${what}` };
		}
		case "stream.offline": {
			const { reason, durationMs } = event.data;
			return { state: "idle", text: `The stream ended after ${spokenDuration(durationMs)}${because(reason)}` };
		}
		case "stream.error":
			return { state: "bad", text: `${event.data.message} (${event.data.code})` };
		case "source.online":
			return {
				state: "good",
				text: `${event.data.remoteAddress || "The source"} sends the stream over ${protocolName(event.data.protocol)}`,
			};
		case "source.offline":
			return {
				state: "warning",
				text: `${event.data.remoteAddress || "The source"} stopped sending${because(event.data.reason)}; the stream waits for it`,
			};
		case "reader.joined":
			return {
				state: "idle",
				text: `${event.data.reader.remoteAddress} watches over ${protocolName(event.data.reader.type)}`,
			};
		case "reader.left":
			return {
				state: "idle",
				text: `${event.data.reader.remoteAddress} left (${protocolName(event.data.reader.type)})`,
			};
		case "demand.started":
			return { state: "idle", text: `Somebody wants to watch: ${event.data.node} asks for the stream` };
		case "demand.ended":
			return { state: "idle", text: `Nobody watches any more: ${event.data.node} lets the stream go` };
	}
}

const KNOWN: ReadonlySet<string> = new Set(STREAM_EVENT_TYPES);

function isKnown(event: StreamEvent | { type: string }): event is StreamEvent {
	return KNOWN.has(event.type);
}

function because(reason: string): string {
	return reason === "" ? "" : `: ${reason}`;
}

function listed(words: readonly string[]): string {
	if (words.length < 2) return words.join("");
	return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** A duration with its two greatest units, such as `2 h 5 min`. `ms` is at least 0. */
export function spokenDuration(ms: number): string {
	const seconds = Math.round(ms / 1000);
	if (seconds < 60) return `${seconds} s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return joined(minutes, "min", seconds % 60, "s");
	const hours = Math.floor(minutes / 60);
	if (hours < 24) return joined(hours, "h", minutes % 60, "min");
	return joined(Math.floor(hours / 24), "d", hours % 24, "h");
}

function joined(great: number, greatUnit: string, small: number, smallUnit: string): string {
	return small === 0 ? `${great} ${greatUnit}` : `${great} ${greatUnit} ${small} ${smallUnit}`;
}
