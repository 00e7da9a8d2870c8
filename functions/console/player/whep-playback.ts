import { type Clock, systemClock } from "#shared/clock.ts";
import { type Playback, type PlayerState, retryDelayMs } from "./player-state.ts";
import { type RtcEntry, type RtcFigures, rtcFigures } from "./rtc-figures.ts";
import { WhepError, watchOnce } from "./whep-session.ts";

/** Where to ask, and by what. */
export type WhepPlace = { readonly endpoint: string; readonly token: string };

export type WhepPlaybackOptions = {
	readonly video: HTMLVideoElement;
	/**
	 * Asked anew before each try, for the stream may have gone to another node; `isRefused`: the last token was not let in.
	 * `null`: no node serves WHEP.
	 */
	readonly place: (isRefused: boolean) => Promise<WhepPlace | null>;
	readonly onState: (state: PlayerState) => void;
	readonly onFigures: (figures: RtcFigures) => void;
	readonly clock?: Clock;
};

const FIGURES_MS = 1_000;
/** Who has watched for so long begins anew with short waits. */
const SETTLED_MS = 15_000;
const MAX_RENEWALS = 2;

/** Plays WHEP into a video element until it is closed, and connects again when the connection is lost. */
export class WhepPlayback implements Playback {
	readonly #options: WhepPlaybackOptions;
	readonly #clock: Clock;
	readonly #abort = new AbortController();

	/** Begins at once. */
	static start(options: WhepPlaybackOptions): WhepPlayback {
		const playback = new WhepPlayback(options);
		addEventListener("pagehide", () => playback.close(), { signal: playback.#abort.signal });
		void playback.#run();
		return playback;
	}

	private constructor(options: WhepPlaybackOptions) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock;
	}

	close(): void {
		this.#abort.abort();
		this.#options.video.srcObject = null;
	}

	async #run(): Promise<void> {
		const { onState, place } = this.#options;
		const { signal } = this.#abort;
		let attempt = 0;
		let renewals = 0;
		let isRefused = false;
		while (!signal.aborted) {
			const began = this.#clock.monotonic();
			onState({ kind: "connecting" });
			let fault: WhepError;
			try {
				const where = await place(isRefused);
				if (where === null) throw new WhepError("No node serves this path over WebRTC.");
				await this.#watch(where);
				return;
			} catch (error) {
				fault =
					error instanceof WhepError ? error : new WhepError(error instanceof Error ? error.message : String(error));
			}
			if (signal.aborted) return;
			if (this.#clock.monotonic() - began > SETTLED_MS) {
				attempt = 0;
				renewals = 0;
			}
			isRefused = fault.isRefused;
			if (fault.isFinal || (isRefused && ++renewals > MAX_RENEWALS)) {
				onState({ kind: "failed", text: fault.message });
				return;
			}
			const inMs = fault.retryAfterMs ?? retryDelayMs(attempt++, Math.random());
			onState({ kind: "retrying", text: fault.message, inMs });
			// Stopped while it waits: the loop ends.
			await this.#clock.sleep(inMs, signal).catch(() => undefined);
		}
	}

	async #watch({ endpoint, token }: WhepPlace): Promise<void> {
		const { video, onState } = this.#options;
		const { signal } = this.#abort;
		let figures: Disposable | null = null;
		try {
			await watchOnce({
				endpoint,
				token,
				signal,
				onMedia: (media) => {
					if (video.srcObject !== media) video.srcObject = media;
					// A browser that allows no start by itself waits for the person: the controls are there.
					video.play().then(
						() => onState({ kind: "playing" }),
						() => undefined,
					);
				},
				onConnection: (connection) => {
					figures = this.#countEachSecond(connection);
				},
			});
		} finally {
			(figures as Disposable | null)?.[Symbol.dispose]();
		}
	}

	#countEachSecond(connection: RTCPeerConnection): Disposable {
		let before: readonly RtcEntry[] = [];
		return this.#clock.every(FIGURES_MS, () => {
			connection.getStats().then(
				(report) => {
					const now: RtcEntry[] = [];
					report.forEach((entry: RtcEntry) => {
						now.push(entry);
					});
					if (!this.#abort.signal.aborted) this.#options.onFigures(rtcFigures(now, before));
					before = now;
				},
				// A connection that was closed meanwhile has no figures.
				() => undefined,
			);
		});
	}
}
