import Hls from "hls.js";
import { abortedError, systemClock } from "#shared/clock.ts";

const TIMEOUT_MS = 12_000;
const WIDTH_PX = 480;

/**
 * Loads one fragment at the live edge of a playlist into a video that nobody sees, draws its first picture, and stops.
 * Rejects when there is none in time, or when `signal` fires.
 */
export async function drawThumbnail(playlist: string, canvas: HTMLCanvasElement, signal: AbortSignal): Promise<void> {
	const video = document.createElement("video");
	video.muted = true;
	video.playsInline = true;
	// One fragment: the next one would begin after the end of this buffer.
	const hls = new Hls({
		enableWorker: false,
		lowLatencyMode: false,
		maxBufferLength: 0.1,
		maxMaxBufferLength: 0.1,
		liveSyncDurationCount: 1,
	});
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const onAbort = () => reject(abortedError(signal));
	signal.addEventListener("abort", onAbort, { once: true });
	const timer = systemClock.after(TIMEOUT_MS, () => reject(new Error("No picture came in time")));
	try {
		hls.on(Hls.Events.ERROR, (_, { fatal, details }) => {
			if (fatal) reject(new Error(`No picture can be had (${details})`));
		});
		hls.on(Hls.Events.FRAG_BUFFERED, () => {
			hls.stopLoad();
			const end = video.buffered.length === 0 ? 0 : video.buffered.start(video.buffered.length - 1);
			if (video.currentTime < end) video.currentTime = end;
		});
		// While it seeks, there is nothing to draw.
		const onPicture = () => video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.seeking && resolve();
		for (const name of ["loadeddata", "seeked", "canplay"]) video.addEventListener(name, onPicture);
		hls.loadSource(playlist);
		hls.attachMedia(video);
		await promise;
		draw(video, canvas);
	} finally {
		timer[Symbol.dispose]();
		signal.removeEventListener("abort", onAbort);
		hls.destroy();
		video.removeAttribute("src");
		video.load();
	}
}

function draw(video: HTMLVideoElement, canvas: HTMLCanvasElement): void {
	const { videoWidth, videoHeight } = video;
	if (videoWidth === 0) throw new Error("The picture has no size");
	canvas.width = WIDTH_PX;
	canvas.height = Math.round((WIDTH_PX * videoHeight) / videoWidth);
	canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
}
