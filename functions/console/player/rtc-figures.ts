/** What a player says of its connection, out of two reports of `RTCPeerConnection.getStats()`. Pure. */

/** As much of an entry as is read; WebRTC statistics, 6. */
export type RtcEntry = {
	readonly id: string;
	readonly type: string;
	/** Milliseconds. */
	readonly timestamp: number;
	readonly kind?: string;
	readonly bytesReceived?: number;
	readonly packetsReceived?: number;
	readonly packetsLost?: number;
	readonly framesDecoded?: number;
	readonly framesPerSecond?: number;
	readonly frameWidth?: number;
	readonly frameHeight?: number;
	/** Seconds, over all that were emitted. */
	readonly jitterBufferDelay?: number;
	readonly jitterBufferEmittedCount?: number;
	readonly freezeCount?: number;
	readonly nominated?: boolean;
	/** Seconds. */
	readonly currentRoundTripTime?: number;
	readonly codecId?: string;
	readonly mimeType?: string;
};

export type RtcFigures = {
	readonly bitsPerSecond: number;
	readonly roundTripMs: number | null;
	/** From the node until the picture is shown: half a round trip and the jitter buffer. */
	readonly delayMs: number | null;
	/** Of the packets since the last report, 0 to 1. */
	readonly loss: number;
	readonly frames: number;
	readonly framesPerSecond: number | null;
	readonly size: string | null;
	readonly freezes: number;
	/** Such as `H264`, the video's first. */
	readonly codecs: readonly string[];
};

/** `before`: the entries of the last report; none at first, when rates are 0. */
export function rtcFigures(now: readonly RtcEntry[], before: readonly RtcEntry[]): RtcFigures {
	const inbound = now.filter(({ type }) => type === "inbound-rtp");
	const earlier = (entry: RtcEntry) => before.find(({ id }) => id === entry.id);
	const gained = (name: "bytesReceived" | "packetsReceived" | "packetsLost", entry: RtcEntry) =>
		Math.max(0, (entry[name] ?? 0) - (earlier(entry)?.[name] ?? 0));
	const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);

	const bitsPerSecond = sum(
		inbound.map((entry) => {
			const past = earlier(entry);
			const seconds = past === undefined ? 0 : (entry.timestamp - past.timestamp) / 1000;
			return seconds > 0 ? (gained("bytesReceived", entry) * 8) / seconds : 0;
		}),
	);
	const lost = sum(inbound.map((entry) => gained("packetsLost", entry)));
	const received = sum(inbound.map((entry) => gained("packetsReceived", entry)));
	const video = inbound.find(({ kind }) => kind === "video");
	const pair = now.find(({ type, nominated }) => type === "candidate-pair" && nominated === true);
	const roundTripMs = pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000;
	const bufferMs = video === undefined ? null : jitterBufferMs(video, earlier(video));
	return {
		bitsPerSecond,
		roundTripMs,
		delayMs: bufferMs === null ? null : bufferMs + (roundTripMs ?? 0) / 2,
		loss: lost + received === 0 ? 0 : lost / (lost + received),
		frames: video?.framesDecoded ?? 0,
		framesPerSecond: video?.framesPerSecond ?? null,
		size: video?.frameWidth === undefined ? null : `${video.frameWidth}×${video.frameHeight ?? 0}`,
		freezes: video?.freezeCount ?? 0,
		codecs: inbound
			.toSorted((a, b) => (b.kind ?? "").localeCompare(a.kind ?? ""))
			.flatMap(({ codecId }) => now.find(({ id }) => id === codecId)?.mimeType?.replace(/^\w+\//, "") ?? []),
	};
}

/** The mean over what left the buffer since the last report; `null` when nothing did. */
function jitterBufferMs(entry: RtcEntry, before: RtcEntry | undefined): number | null {
	const emitted = (entry.jitterBufferEmittedCount ?? 0) - (before?.jitterBufferEmittedCount ?? 0);
	if (emitted <= 0) return null;
	return (((entry.jitterBufferDelay ?? 0) - (before?.jitterBufferDelay ?? 0)) / emitted) * 1000;
}
