import { ActionIcon } from "@mantine/core";
import { Maximize, Minimize, Pause, PictureInPicture2, Play, Volume2, VolumeX } from "lucide-react";
import { type ReactNode, type RefObject, useEffect, useReducer } from "react";
import classes from "./player-frame.module.css";

const CHANGES = ["play", "pause", "volumechange", "enterpictureinpicture", "leavepictureinpicture"] as const;

export type PlayerControlsProps = {
	readonly video: RefObject<HTMLVideoElement | null>;
	readonly frame: RefObject<HTMLElement | null>;
	/** What the player says of itself, such as its delay. */
	readonly children: ReactNode;
};

/** Play, sound, picture in picture and full screen: each a button that says what it will do. */
export function PlayerControls({ video, frame, children }: PlayerControlsProps) {
	const [, redraw] = useReducer((count: number) => count + 1, 0);
	useEffect(() => {
		const element = video.current;
		for (const name of CHANGES) element?.addEventListener(name, redraw);
		document.addEventListener("fullscreenchange", redraw);
		redraw();
		return () => {
			for (const name of CHANGES) element?.removeEventListener(name, redraw);
			document.removeEventListener("fullscreenchange", redraw);
		};
	}, [video]);

	const element = video.current;
	const isPaused = element?.paused ?? true;
	const isMuted = element?.muted ?? true;
	const isFull = document.fullscreenElement !== null && document.fullscreenElement === frame.current;
	return (
		<div className={classes["controls"]}>
			<Control
				label={isPaused ? "Play" : "Pause"}
				icon={isPaused ? <Play size={18} /> : <Pause size={18} />}
				onClick={() => (element?.paused ? quietly(element.play()) : element?.pause())}
			/>
			<Control
				label={isMuted ? "Turn sound on" : "Turn sound off"}
				icon={isMuted ? <VolumeX size={18} /> : <Volume2 size={18} />}
				onClick={() => {
					if (element) element.muted = !element.muted;
				}}
			/>
			<div className={classes["note"]}>{children}</div>
			{document.pictureInPictureEnabled && (
				<Control
					label="Picture in picture"
					icon={<PictureInPicture2 size={18} />}
					onClick={() => element && quietly(togglePictureInPicture(element))}
				/>
			)}
			<Control
				label={isFull ? "Leave full screen" : "Full screen"}
				icon={isFull ? <Minimize size={18} /> : <Maximize size={18} />}
				onClick={() => frame.current && quietly(toggleFullScreen(frame.current))}
			/>
		</div>
	);
}

function Control({ label, icon, onClick }: { label: string; icon: ReactNode; onClick: () => void }) {
	return (
		<ActionIcon variant="transparent" c="gray.2" size="lg" aria-label={label} title={label} onClick={onClick}>
			{icon}
		</ActionIcon>
	);
}

async function togglePictureInPicture(video: HTMLVideoElement): Promise<void> {
	if (document.pictureInPictureElement === video) await document.exitPictureInPicture();
	else await video.requestPictureInPicture();
}

async function toggleFullScreen(frame: HTMLElement): Promise<void> {
	if (document.fullscreenElement === frame) await document.exitFullscreen();
	else await frame.requestFullscreen();
}

/** The browser may refuse, and then nothing happens: the button still says what it would do. */
function quietly(action: Promise<unknown>): void {
	action.catch(() => undefined);
}
