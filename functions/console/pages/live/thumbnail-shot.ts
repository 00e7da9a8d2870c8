import Hls from "hls.js";
import { abortedError, systemClock } from "#shared/clock.ts";

const TIMEOUT_MS = 12_000;
const WIDTH_PX = 480;
/** A video may have its data some time before it has a picture to draw. */
const LOOK_AGAIN_MS = 100;

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
		const shot = document.createElement("canvas");
		for (const endMs = systemClock.monotonic() + TIMEOUT_MS; !isDrawn(video, shot); ) {
			if (systemClock.monotonic() > endMs) throw new Error("The picture stays empty");
			await systemClock.sleep(LOOK_AGAIN_MS, signal);
		}
		canvas.width = shot.width;
		canvas.height = shot.height;
		canvas.getContext("2d")?.drawImage(shot, 0, 0);
	} finally {
		timer[Symbol.dispose]();
		signal.removeEventListener("abort", onAbort);
		hls.destroy();
		video.removeAttribute("src");
		video.load();
	}
}

/** Says whether there was a picture: without one, everything stays transparent. */
function isDrawn(video: HTMLVideoElement, canvas: HTMLCanvasElement): boolean {
	const { videoWidth, videoHeight } = video;
	if (videoWidth === 0) throw new Error("The picture has no size");
	canvas.width = WIDTH_PX;
	canvas.height = Math.round((WIDTH_PX * videoHeight) / videoWidth);
	const context = canvas.getContext("2d", { willReadFrequently: true });
	context?.drawImage(video, 0, 0, canvas.width, canvas.height);
	return context?.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data[3] === 255;
}
