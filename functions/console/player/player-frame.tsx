import { type ReactNode, type RefObject, useRef } from "react";
import { PlayerControls } from "./player-controls.tsx";
import classes from "./player-frame.module.css";
import type { PlayerState } from "./player-state.ts";

export type PlayerFrameProps = {
	readonly video: RefObject<HTMLVideoElement | null>;
	/** What is played, for screen readers. */
	readonly label: string;
	readonly state: PlayerState;
	readonly children: ReactNode;
};

/** The picture with its controls, and over it what is wrong while there is none. */
export function PlayerFrame({ video, label, state, children }: PlayerFrameProps) {
	const frame = useRef<HTMLElement>(null);
	return (
		<section ref={frame} className={classes["frame"]} aria-label={label}>
			<video ref={video} className={classes["video"]} muted playsInline autoPlay aria-label={label} />
			<div className={classes["message"]} role="status">
				{messageOf(state)}
			</div>
			<PlayerControls video={video} frame={frame}>
				{children}
			</PlayerControls>
		</section>
	);
}

function messageOf(state: PlayerState): string {
	switch (state.kind) {
		case "connecting":
			return "Connecting…";
		case "playing":
			return "";
		case "retrying":
			return `${state.text} Next try in ${Math.max(1, Math.round(state.inMs / 1000))} s.`;
		case "failed":
			return state.text;
	}
}
