import { useRef } from "react";
import classes from "./live-page.module.css";
import { pictureOf, type Stream } from "./stream.ts";
import { useThumbnail } from "./use-thumbnail.ts";

/** A recent picture of a stream, or why there is none. Who looks may watch the stream. */
export function Thumbnail({ stream }: { stream: Stream }) {
	const canvas = useRef<HTMLCanvasElement>(null);
	const rendition = smallestPicture(stream);
	const state = useThumbnail(canvas, stream.path, rendition);
	return (
		<div className={classes["picture"]}>
			<canvas ref={canvas} className={classes["canvas"]} aria-hidden hidden={state !== "drawn"} />
			{state !== "drawn" && <span className={classes["reason"]}>{reasonOf(rendition, state)}</span>}
		</div>
	);
}

/** The id of the one that costs least. */
function smallestPicture(stream: Stream): string | null {
	const smallest = stream.renditions
		.filter(({ kind }) => kind === "video")
		.toSorted((a, b) => a.bandwidth - b.bandwidth)[0];
	return (smallest ?? pictureOf(stream))?.id ?? null;
}

function reasonOf(rendition: string | null, state: "waiting" | "failed"): string {
	if (rendition === null) return "No picture in HLS";
	return state === "failed" ? "No picture could be loaded" : "Loading a picture…";
}
