/**
 * What is wrong with a live stream, and what to do about it: a pure decision on plain facts. A warning comes when its
 * reason has lasted for a while, and goes when the reason has been clearly gone for a while, so that none flickers.
 */

import { type StreamWarning, WARNING_CODES } from "#shared/nodes/node-streams.ts";

export type StreamFacts = {
	readonly tracks: readonly {
		readonly kind: "video" | "audio" | "data";
		readonly codec: string;
		/** It is in HLS, as it is or made into another codec. True where the path has no HLS. */
		readonly inHls: boolean;
		/** For how long nothing came of it, in milliseconds; `null` where nobody watches. */
		readonly silentMs: number | null;
	}[];
	/** `null`: the path has no HLS. */
	readonly segmentDurationMs: number | null;
	/** Clients can read by WebRTC from this node. */
	readonly webrtc: boolean;
	readonly keyFrameIntervalMs: number | null;
	/** Frames came in another order than they are shown in. */
	readonly bFrames: boolean;
	readonly uploadLagMs: number;
	/** 0 to 1, over the last seconds; `null` where nobody tells. */
	readonly packetLoss: number | null;
};

type Code = StreamWarning["code"];
/** `between`: what is, stays: neither a reason to warn nor to stop warning. */
type Verdict = { readonly level: "bad" | "between" | "good"; readonly message: string };
type Memory = {
	readonly level: "bad" | "good";
	/** Since when the verdict has not been the other. Monotonic, milliseconds. */
	readonly levelSinceMs: number;
	readonly warning: StreamWarning | null;
};

/** What is remembered of a stream from one decision to the next. Plain data. */
export type WarningMemory = Readonly<Partial<Record<Code, Memory>>>;

/** Moments of a decision, in milliseconds. */
export type Moment = { readonly monotonicMs: number; readonly wallclockMs: number };

export const MAX_KEY_FRAME_INTERVAL_MS = 4_000;
/** A track that is silent for longer might as well not be there. */
export const SILENT_MS = 10_000;
const MIN_UPLOAD_LAG_MS = 5_000;
const BAD_LOSS = 0.01;
const GOOD_LOSS = 0.005;
/** Encoders keep their distance of key frames no better than that. */
const INTERVAL_TOLERANCE = 1.1;
/** So long a reason must last before it is said, and must be gone before it is unsaid. */
export const RAISE_AFTER_MS = 3_000;
export const CLEAR_AFTER_MS = 10_000;

/** Decides anew. */
export function decideWarnings(memory: WarningMemory, facts: StreamFacts, at: Moment): WarningMemory {
	return Object.fromEntries(
		WARNING_CODES.map((code) => [code, next(memory[code], code, VERDICTS[code](facts), at)]),
	) as WarningMemory;
}

/** The warnings in force, in the order of their codes. */
export function warningsIn(memory: WarningMemory): StreamWarning[] {
	return WARNING_CODES.flatMap((code) => memory[code]?.warning ?? []);
}

function next(before: Memory | undefined, code: Code, verdict: Verdict, at: Moment): Memory {
	const { monotonicMs } = at;
	const level = verdict.level === "between" ? (before?.level ?? "good") : verdict.level;
	const levelSinceMs = before?.level === level ? before.levelSinceMs : monotonicMs;
	const lastedMs = monotonicMs - levelSinceMs;
	const warning = before?.warning ?? null;
	if (warning === null) {
		const isDue = level === "bad" && lastedMs >= RAISE_AFTER_MS;
		const since = new Date(at.wallclockMs - lastedMs).toISOString();
		return { level, levelSinceMs, warning: isDue ? { code, message: verdict.message, since } : null };
	}
	if (level === "good" && lastedMs >= CLEAR_AFTER_MS) return { level, levelSinceMs, warning: null };
	// While it goes away, the last reason stands.
	const message = verdict.level === "bad" ? verdict.message : warning.message;
	return { level, levelSinceMs, warning: { ...warning, message } };
}

const VERDICTS: Readonly<Record<Code, (facts: StreamFacts) => Verdict>> = {
	gop_too_long({ keyFrameIntervalMs, segmentDurationMs }) {
		const limitMs = Math.min(MAX_KEY_FRAME_INTERVAL_MS, 2 * (segmentDurationMs ?? Number.POSITIVE_INFINITY));
		const intervalMs = keyFrameIntervalMs ?? 0;
		return graded(intervalMs, limitMs, limitMs * INTERVAL_TOLERANCE, () => {
			const wanted = seconds(Math.min(2_000, limitMs));
			return `Key frames are ${seconds(intervalMs)} apart: viewers wait long before they see something, and segments of HLS grow. Set the encoder's key frame interval to ${wanted} (ffmpeg: -g with that many frames; OBS: Keyframe Interval)`;
		});
	},
	b_frames: ({ bFrames, webrtc }) =>
		yesNo(
			bFrames && webrtc,
			"The video has B-frames, which browsers cannot show by WebRTC: it stutters there. Switch them off (ffmpeg: -bf 0; OBS: B-frames 0, or the profile Baseline). HLS and RTSP are not affected",
		),
	upload_lag({ uploadLagMs, segmentDurationMs }) {
		const badMs = Math.max(MIN_UPLOAD_LAG_MS, 3 * (segmentDurationMs ?? 0));
		return graded(
			uploadLagMs,
			badMs / 2,
			badMs,
			() =>
				`Segments wait for ${seconds(uploadLagMs, 0)} before they are in the bucket, and viewers of HLS with them. Check the node's uplink and the bucket, or lower the bit rate`,
		);
	},
	no_audio: ({ tracks }) => missing(tracks, "audio", "sound", "Send a sound track if there is to be one"),
	no_video: ({ tracks }) => missing(tracks, "video", "video", "Send a video track if there is to be one"),
	packet_loss: ({ packetLoss }) =>
		graded(
			packetLoss ?? 0,
			GOOD_LOSS,
			BAD_LOSS,
			() =>
				`Of the publisher's packets ${(100 * (packetLoss ?? 0)).toFixed(1)} % never come: pictures break. Publish over TCP or SRT, lower the bit rate, or use a better network`,
		),
	not_in_hls({ tracks }) {
		const left = [...new Set(tracks.filter(({ inHls }) => !inHls).map(({ codec }) => codec))];
		return yesNo(
			left.length > 0,
			`HLS does not carry ${left.slice(0, 5).join(", ")}: its viewers miss that. Publish H264, H265, VP9 or AV1 with AAC or Opus, or let the node make sound into AAC (audioTranscode)`,
		);
	},
};

function missing(tracks: StreamFacts["tracks"], kind: "audio" | "video", noun: string, todo: string): Verdict {
	const these = tracks.filter((track) => track.kind === kind);
	if (these.length === 0) return yesNo(true, `The stream has no ${noun}. ${todo}`);
	const silentMs = Math.min(...these.map((track) => track.silentMs ?? 0));
	return yesNo(
		silentMs >= SILENT_MS,
		`There is a track of ${noun}, but nothing has come of it for more than ${seconds(SILENT_MS)}. Check what the encoder captures`,
	);
}

function yesNo(isBad: boolean, message: string): Verdict {
	return { level: isBad ? "bad" : "good", message };
}

/** Good up to one limit, bad beyond the other. */
function graded(value: number, goodUpTo: number, badAbove: number, message: () => string): Verdict {
	if (value > badAbove) return { level: "bad", message: message() };
	return { level: value > goodUpTo ? "between" : "good", message: "" };
}

/** Whole numbers stay so: a message that changes with each frame would be news each time. */
function seconds(ms: number, digits = 1): string {
	return `${Number((ms / 1000).toFixed(digits))} s`;
}
