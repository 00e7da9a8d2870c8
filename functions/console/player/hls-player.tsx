import { useEffect, useRef, useState } from "react";
import { HlsPlayback } from "./hls-playback.ts";
import { hlsAddress, type Stretch } from "./playback-address.ts";
import { PlayerFrame } from "./player-frame.tsx";
import type { PlayerState } from "./player-state.ts";
import { usePlaybackTokens } from "./use-playback-tokens.ts";

export type HlsPlayerProps = Stretch & {
	readonly path: string;
	/** Told four times a second: the wall-clock time of the picture, milliseconds since the Unix epoch. */
	readonly onPlayingAt?: (ms: number) => void;
};

const TOLD_MS = 250;

/** Plays a path over HLS: its live edge, or a stretch of what was recorded. */
export function HlsPlayer({ path, startMs, endMs, onPlayingAt }: HlsPlayerProps) {
	const tokens = usePlaybackTokens();
	const video = useRef<HTMLVideoElement>(null);
	const told = useRef(onPlayingAt);
	const [state, setState] = useState<PlayerState>({ kind: "connecting" });
	const [latencyMs, setLatencyMs] = useState<number | null>(null);
	told.current = onPlayingAt;

	useEffect(() => {
		if (video.current === null) return;
		const playback = HlsPlayback.start({
			video: video.current,
			fromStart: startMs !== undefined,
			onState: setState,
			address: async (isRefused) => {
				if (isRefused) tokens.forget(path);
				return hlsAddress(location.origin, await tokens.for(path), path, { startMs, endMs });
			},
		});
		const timer = setInterval(() => {
			const atMs = playback.playingAtMs;
			if (atMs !== null) told.current?.(atMs);
			setLatencyMs(playback.latencyMs === null ? null : Math.round(playback.latencyMs / 100) * 100);
		}, TOLD_MS);
		return () => {
			clearInterval(timer);
			playback.close();
		};
	}, [tokens, path, startMs, endMs]);

	return (
		<PlayerFrame video={video} label={`${path} over HLS`} state={state}>
			{noteOf(startMs === undefined, latencyMs)}
		</PlayerFrame>
	);
}

function noteOf(isLive: boolean, latencyMs: number | null): string {
	if (!isLive) return "HLS · recording";
	return latencyMs === null ? "HLS" : `HLS · ${(latencyMs / 1000).toFixed(1)} s behind live`;
}
