import Hls, { type ErrorData } from "hls.js";
import { type Clock, systemClock } from "#shared/clock.ts";
import { type HlsFault, hlsFaultOf } from "./hls-fault.ts";
import { type Playback, type PlayerState, retryDelayMs } from "./player-state.ts";

export type HlsPlaybackOptions = {
	readonly video: HTMLVideoElement;
	/** Asked anew before each try; `isRefused`: the last one was not let in. */
	readonly address: (isRefused: boolean) => Promise<string>;
	/** Begins at the first segment of the playlist, not at the live edge. */
	readonly fromStart?: boolean;
	readonly onState: (state: PlayerState) => void;
	readonly clock?: Clock;
};

/** A refusal of a token that has just been made is final. */
const MAX_RENEWALS = 2;

/** Plays HLS into a video element until it is closed: by hls.js, or by the browser where it has no Media Source. */
export class HlsPlayback implements Playback {
	readonly #options: HlsPlaybackOptions;
	readonly #clock: Clock;
	readonly #abort = new AbortController();
	#hls: Hls | null = null;
	#pending: Disposable | null = null;
	#attempt = 0;
	#renewals = 0;

	/** Begins at once. */
	static start(options: HlsPlaybackOptions): HlsPlayback {
		const playback = new HlsPlayback(options);
		options.video.addEventListener("playing", () => playback.#played(), { signal: playback.#abort.signal });
		playback.#load(false);
		return playback;
	}

	private constructor(options: HlsPlaybackOptions) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock;
	}

	/** Behind the live edge, in milliseconds; `null` when it is not known. */
	get latencyMs(): number | null {
		const latency = this.#hls?.latency ?? 0;
		return latency > 0 ? latency * 1000 : null;
	}

	/** The wall-clock time of the picture that is shown, milliseconds since the Unix epoch. */
	get playingAtMs(): number | null {
		const date = this.#hls?.playingDate;
		if (date) return date.getTime();
		const { video } = this.#options;
		// Safari's own, where hls.js is not used.
		const began = (video as { getStartDate?: () => Date }).getStartDate?.().getTime();
		return began === undefined || Number.isNaN(began) ? null : began + video.currentTime * 1000;
	}

	close(): void {
		this.#abort.abort();
		this.#unload();
		const { video } = this.#options;
		video.removeAttribute("src");
		video.load();
	}

	#load(isRefused: boolean): void {
		this.#unload();
		this.#options.onState({ kind: "connecting" });
		this.#options.address(isRefused).then(
			(address) => {
				if (this.#abort.signal.aborted) return;
				if (Hls.isSupported()) this.#loadByMediaSource(address);
				else this.#loadByBrowser(address);
			},
			(error: unknown) => {
				const text = error instanceof Error ? error.message : "No token can be had.";
				this.#meet({ text, act: "retry" });
			},
		);
	}

	#loadByMediaSource(address: string): void {
		const { video, fromStart = false } = this.#options;
		const hls = new Hls({
			// Fragments are fMP4, which pass as they are; a worker would need a blob: URL in the page's policy.
			enableWorker: false,
			backBufferLength: 60,
			...(fromStart ? { startPosition: 0 } : {}),
		});
		this.#hls = hls;
		hls.on(Hls.Events.ERROR, (_, data) => {
			const fault = hlsFaultOf(factsOf(data));
			if (fault !== null && this.#hls === hls) this.#meet(fault);
		});
		hls.on(Hls.Events.MANIFEST_PARSED, () => this.#play());
		hls.loadSource(address);
		hls.attachMedia(video);
	}

	#loadByBrowser(address: string): void {
		const { video } = this.#options;
		if (video.canPlayType("application/vnd.apple.mpegurl") === "") {
			this.#meet({ text: "This browser cannot play HLS. Try WebRTC.", act: "stop" });
			return;
		}
		video.addEventListener("error", () => this.#meet({ text: "Playback failed.", act: "retry" }), {
			once: true,
			signal: this.#abort.signal,
		});
		video.src = address;
		this.#play();
	}

	/** A browser that allows no start by itself waits for the person: the controls are there. */
	#play(): void {
		this.#options.video.play().catch(() => undefined);
	}

	#played(): void {
		this.#attempt = 0;
		this.#renewals = 0;
		this.#options.onState({ kind: "playing" });
	}

	#meet(fault: HlsFault): void {
		if (this.#abort.signal.aborted) return;
		if (fault.act === "recover" && this.#hls !== null && this.#attempt === 0) {
			this.#attempt += 1;
			this.#hls.recoverMediaError();
			return;
		}
		this.#unload();
		if (fault.act === "stop" || (fault.act === "renew" && this.#renewals >= MAX_RENEWALS)) {
			this.#options.onState({ kind: "failed", text: fault.text });
			return;
		}
		if (fault.act === "renew") {
			this.#renewals += 1;
			this.#load(true);
			return;
		}
		const inMs = retryDelayMs(this.#attempt++, Math.random());
		this.#options.onState({ kind: "retrying", text: fault.text, inMs });
		this.#pending = this.#clock.after(inMs, () => this.#load(false));
	}

	#unload(): void {
		this.#pending?.[Symbol.dispose]();
		this.#pending = null;
		this.#hls?.destroy();
		this.#hls = null;
	}
}

function factsOf({ type, details, fatal, response }: ErrorData) {
	const status = response?.code;
	return { type, details, fatal, status: status === undefined || status === 0 ? null : status };
}
