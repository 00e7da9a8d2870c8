import { useEffect, useRef, useState } from "react";
import { ApiProblem } from "../api/problem.ts";
import { findMediaPlace } from "./media-place.ts";
import { PlayerFrame } from "./player-frame.tsx";
import type { PlayerState } from "./player-state.ts";
import type { RtcFigures } from "./rtc-figures.ts";
import { usePlaybackTokens } from "./use-playback-tokens.ts";
import { WhepPlayback } from "./whep-playback.ts";
import { WhepError } from "./whep-session.ts";

export type WhepPlayerProps = {
	readonly path: string;
	readonly onFigures?: (figures: RtcFigures) => void;
};

/** Plays a path over WebRTC, from the node that has it. */
export function WhepPlayer({ path, onFigures }: WhepPlayerProps) {
	const tokens = usePlaybackTokens();
	const video = useRef<HTMLVideoElement>(null);
	const told = useRef(onFigures);
	const [state, setState] = useState<PlayerState>({ kind: "connecting" });
	const [figures, setFigures] = useState<RtcFigures | null>(null);
	told.current = onFigures;

	useEffect(() => {
		if (video.current === null) return;
		const playback = WhepPlayback.start({
			video: video.current,
			onState: setState,
			onFigures: (counted) => {
				setFigures(counted);
				told.current?.(counted);
			},
			place: async (isRefused) => {
				if (isRefused) tokens.forget(path);
				const token = await tokens.for(path);
				const { urls } = await findMediaPlace("read", path, token).catch((error: unknown) => {
					const isRefused = error instanceof ApiProblem && (error.status === 401 || error.status === 403);
					throw new WhepError(error instanceof Error ? error.message : String(error), { isRefused });
				});
				return urls.whep === null ? null : { endpoint: urls.whep, token };
			},
		});
		return () => playback.close();
	}, [tokens, path]);

	return (
		<PlayerFrame video={video} label={`${path} over WebRTC`} state={state}>
			{figures === null ? "WebRTC" : noteOf(figures)}
		</PlayerFrame>
	);
}

function noteOf({ delayMs, roundTripMs }: RtcFigures): string {
	const delay = delayMs === null ? "" : ` · ${Math.round(delayMs)} ms behind the node`;
	return `WebRTC${delay}${roundTripMs === null ? "" : ` · round trip ${Math.round(roundTripMs)} ms`}`;
}
