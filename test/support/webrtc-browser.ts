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

	/** Publishes the false camera of the browser. */
	async publish(url: string, codec: string): Promise<WebRtcPage> {
		const page = await this.#open(`${url}/publish`);
		await page.selectOption("#videoCodec", `video/${codec}`);
		await page.click("#start");
		return new WebRtcPage(page);
	}

	async play(url: string): Promise<WebRtcPage> {
		return new WebRtcPage(await this.#open(`${url}/`));
	}

	async #open(url: string): Promise<Page> {
		const page = await this.#browser.newPage();
		// The page keeps its connections to itself: they are watched from here.
		await page.addInitScript((mediaPort) => {
			// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
			const scope = globalThis as any;
			scope.connections = [];
			const Original = scope.RTCPeerConnection;
			scope.RTCPeerConnection = class extends Original {
				constructor(options: unknown) {
					super(options);
					scope.connections.push(this);
				}

				setRemoteDescription(description: { readonly sdp: string }) {
					if (mediaPort === null) return super.setRemoteDescription(description);
					const way = `$1 127.0.0.1 ${mediaPort} `;
					const sdp = description.sdp.replace(/^(a=candidate:\S+ 1 udp \d+) \S+ \d+ /gm, way);
					return super.setRemoteDescription({ ...description, sdp });
				}
			};
		}, this.#mediaPort);
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

	/** Waits until so much sound was decoded, in seconds. */
	async heard(seconds: number): Promise<MediaCount> {
		return eventually(
			`${seconds} s of sound are decoded`,
			async () => {
				const audio = (await this.counts()).find(({ kind }) => kind === "audio");
				return audio !== undefined && audio.duration >= seconds ? audio : false;
			},
			{ timeoutMs: 30_000 },
		);
	}
}
