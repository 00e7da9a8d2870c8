import { type RefObject, useEffect, useState } from "react";
import { systemClock } from "#shared/clock.ts";
import { useThumbnailTokens } from "../../player/use-playback-tokens.ts";
import { Slots } from "./slots.ts";
import { drawThumbnail } from "./thumbnail-shot.ts";

const EVERY_MS = 20_000;
/** Each takes a connection and a decoder. */
const slots = new Slots(3);

export type ThumbnailState = "waiting" | "drawn" | "failed";

/**
 * Draws a new picture of a rendition again and again, while the canvas is on the screen and the tab is visible.
 * `renditionId` is `null` for a stream that has none.
 */
export function useThumbnail(
	canvas: RefObject<HTMLCanvasElement | null>,
	path: string,
	renditionId: string | null,
): ThumbnailState {
	const tokens = useThumbnailTokens();
	const [state, setState] = useState<ThumbnailState>("waiting");

	useEffect(() => {
		const element = canvas.current;
		if (element === null || renditionId === null) return;
		const abort = new AbortController();
		let isOnScreen = false;
		let dueMs = 0;
		let isBusy = false;

		async function drawIfDue(target: HTMLCanvasElement) {
			if (!isOnScreen || document.hidden || isBusy || systemClock.monotonic() < dueMs) return;
			isBusy = true;
			try {
				await slots.run(async () => {
					const token = await tokens.for(path);
					const file = [token, ...path.split("/"), `${renditionId}.m3u8`].map(encodeURIComponent).join("/");
					await drawThumbnail(`/${file}`, target, abort.signal);
					setState("drawn");
				}, abort.signal);
			} catch {
				// The next one may come; an older picture stays meanwhile.
				if (!abort.signal.aborted) setState((before) => (before === "drawn" ? before : "failed"));
			} finally {
				isBusy = false;
				dueMs = systemClock.monotonic() + EVERY_MS;
			}
		}

		const observer = new IntersectionObserver((entries) => {
			isOnScreen = entries.at(-1)?.isIntersecting ?? false;
			void drawIfDue(element);
		});
		observer.observe(element);
		const timer = systemClock.every(1_000, () => void drawIfDue(element));
		return () => {
			abort.abort();
			observer.disconnect();
			timer[Symbol.dispose]();
		};
	}, [tokens, canvas, path, renditionId]);
	return state;
}
