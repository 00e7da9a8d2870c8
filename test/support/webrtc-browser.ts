import { type Browser, chromium, type Page } from "playwright-core";
import { eventually } from "./eventually.ts";

const FLAGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--use-fake-device-for-media-stream",
	"--use-fake-ui-for-media-stream",
	"--autoplay-policy=no-user-gesture-required",
	// Machines without a network have no other address.
	"--allow-loopback-in-peer-connection",
];

/** What a browser counts of one media that comes or goes. */
export type MediaCount = {
	readonly kind: string;
	readonly codec: string;
	readonly framesDecoded: number;
	readonly framesEncoded: number;
	/** Of audio, in seconds. */
	readonly duration: number;
	readonly freezes: number;
	readonly bytes: number;
	/** What the sender allows itself, in bits per second. */
	readonly targetBitrate: number;
};

/** A Chromium that publishes and plays by the pages of the node. */
export class WebRtcBrowser implements AsyncDisposable {
	readonly #browser: Browser;
	readonly #mediaPort: number | null;

	private constructor(browser: Browser, mediaPort: number | null) {
		this.#browser = browser;
		this.#mediaPort = mediaPort;
	}

	/** `mediaPort`: where pages send media, on the loopback, whatever the node tells them. */
	static async start(mediaPort: number | null = null): Promise<WebRtcBrowser> {
		return new WebRtcBrowser(await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS }), mediaPort);
	}

	/** Publishes the false camera of the browser, or what `prepare` puts in its place. */
	async publish(
		url: string,
		codec: string,
		prepare: (page: Page) => Promise<void> = async () => {},
	): Promise<WebRtcPage> {
		const page = await this.#open(`${url}/publish`);
		await prepare(page);
		await page.selectOption("#videoCodec", `video/${codec}`);
		await page.click("#start");
		return new WebRtcPage(page);
	}

	/** `without`: a format of video that it does not offer, such as `flexfec-03`. */
	async play(url: string, without = ""): Promise<WebRtcPage> {
		return new WebRtcPage(await this.#open(`${url}/`, without));
	}

	async #open(url: string, without = ""): Promise<Page> {
		const page = await this.#browser.newPage();
		// The page keeps its connections to itself: they are watched from here.
		const choice = { mediaPort: this.#mediaPort, leftOut: without === "" ? "" : `video/${without}` };
		await page.addInitScript(({ mediaPort, leftOut }) => {
			// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
			const scope = globalThis as any;
			scope.connections = [];
			const Original = scope.RTCPeerConnection;
			scope.RTCPeerConnection = class extends Original {
				constructor(options: unknown) {
					super(options);
					scope.connections.push(this);
				}

				addTransceiver(media: unknown, options: unknown) {
					const transceiver = super.addTransceiver(media, options);
					if (media === "video" && leftOut !== "") {
						const { codecs } = scope.RTCRtpReceiver.getCapabilities("video");
						const isKept = ({ mimeType }: { readonly mimeType: string }) => mimeType.toLowerCase() !== leftOut;
						transceiver.setCodecPreferences(codecs.filter(isKept));
					}
					return transceiver;
				}

				setRemoteDescription(description: { readonly sdp: string }) {
					if (mediaPort === null) return super.setRemoteDescription(description);
					const way = `$1 127.0.0.1 ${mediaPort} `;
					const sdp = description.sdp.replace(/^(a=candidate:\S+ 1 udp \d+) \S+ \d+ /gm, way);
					return super.setRemoteDescription({ ...description, sdp });
				}
			};
		}, choice);
		await page.goto(url);
		return page;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#browser.close();
	}
}

export class WebRtcPage {
	readonly page: Page;

	constructor(page: Page) {
		this.page = page;
	}

	/** What the newest connection of the page counts. */
	counts(): Promise<MediaCount[]> {
		return this.page.evaluate(async () => {
			// biome-ignore lint/suspicious/noExplicitAny: see above
			const pc = (globalThis as any).connections.at(-1);
			if (pc === undefined) return [];
			// biome-ignore lint/suspicious/noExplicitAny: see above
			const report = new Map<string, any>(await pc.getStats());
			return [...report.values()]
				.filter(({ type }) => type === "inbound-rtp" || type === "outbound-rtp")
				.map((each) => ({
					kind: each.kind,
					codec: report.get(each.codecId)?.mimeType?.split("/")[1] ?? "",
					framesDecoded: each.framesDecoded ?? 0,
					framesEncoded: each.framesEncoded ?? 0,
					duration: each.totalSamplesDuration ?? 0,
					freezes: each.freezeCount ?? 0,
					bytes: each.bytesReceived ?? each.bytesSent ?? 0,
					targetBitrate: each.targetBitrate ?? 0,
				}));
		});
	}

	/** Sends the video `by` times smaller each way from now on. */
	scaleDown(by: number): Promise<void> {
		return this.page.evaluate(async (factor) => {
			// biome-ignore lint/suspicious/noExplicitAny: see above
			const pc = (globalThis as any).connections.at(-1);
			for (const sender of pc.getSenders()) {
				if (sender.track?.kind !== "video") continue;
				const parameters = sender.getParameters();
				for (const encoding of parameters.encodings) encoding.scaleResolutionDownBy = factor;
				await sender.setParameters(parameters);
			}
		}, by);
	}

	/** Waits until so many frames were decoded; the counts of video then. */
	async decoded(frames: number): Promise<MediaCount> {
		return eventually(
			`${frames} frames are decoded`,
			async () => {
				const video = (await this.counts()).find(({ kind }) => kind === "video");
				return video !== undefined && video.framesDecoded >= frames ? video : false;
			},
			{ timeoutMs: 30_000 },
		);
	}

	/** The loudest sample of the moment, up to 1. */
	#loudness(): Promise<number> {
		return this.page.evaluate(async () => {
			// biome-ignore lint/suspicious/noExplicitAny: see above
			const scope = globalThis as any;
			if (scope.analyser === undefined) {
				const receivers = scope.connections.at(-1).getReceivers();
				const { track } = receivers.find((receiver: { track: { kind: string } }) => receiver.track.kind === "audio");
				const context = new scope.AudioContext();
				scope.analyser = context.createAnalyser();
				context.createMediaStreamSource(new scope.MediaStream([track])).connect(scope.analyser);
			}
			const samples = new Float32Array(scope.analyser.fftSize);
			scope.analyser.getFloatTimeDomainData(samples);
			return Math.max(...samples.map(Math.abs));
		});
	}

	/** Waits until so much sound was decoded, in seconds, and it is no silence. */
	async heard(seconds: number): Promise<MediaCount> {
		return eventually(
			`${seconds} s of sound are decoded`,
			async () => {
				const audio = (await this.counts()).find(({ kind }) => kind === "audio");
				return audio !== undefined && audio.duration >= seconds && (await this.#loudness()) > 0.01 ? audio : false;
			},
			{ timeoutMs: 30_000 },
		);
	}
}
