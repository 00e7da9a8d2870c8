import { useRef } from "react";
import { useCan } from "../../api/hooks.ts";
import classes from "./live-page.module.css";
import { pictureOf, type Stream } from "./stream.ts";
import { useThumbnail } from "./use-thumbnail.ts";

/** A recent picture of a stream, or why there is none. */
export function Thumbnail({ stream }: { stream: Stream }) {
	const mayWatch = useCan("manage", stream.path);
	const canvas = useRef<HTMLCanvasElement>(null);
	const rendition = smallestPicture(stream);
	const state = useThumbnail(canvas, stream.path, mayWatch ? rendition : null);
	return (
		<div className={classes["picture"]}>
			<canvas ref={canvas} className={classes["canvas"]} aria-hidden hidden={state !== "drawn"} />
			{state !== "drawn" && <span className={classes["reason"]}>{reasonOf(mayWatch, rendition, state)}</span>}
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

function reasonOf(mayWatch: boolean, rendition: string | null, state: "waiting" | "failed"): string {
	if (!mayWatch) return "No picture: your key may see how streams fare, and not watch them";
	if (rendition === null) return "No picture in HLS";
	return state === "failed" ? "No picture could be loaded" : "Loading a picture…";
}
