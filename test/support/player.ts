import { readFile } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM_FLAGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
	"--autoplay-policy=no-user-gesture-required",
];

const PAGE = `<!doctype html><title>player</title><video id="video" muted playsinline></video><script src="/hls.js"></script>`;

export type PlayerState = {
	readonly currentTime: number;
	readonly frames: number;
	readonly dropped: number;
	readonly audioBytes: number;
	/** Codes of `video.error` and of fatal hls.js errors. */
	readonly errors: readonly string[];
	/** What hls.js reported without stopping. */
	readonly warnings: readonly string[];
	readonly mediaSequences: readonly number[];
	readonly discontinuitySequences: readonly number[];
	readonly levels: number;
	readonly audioTracks: number;
	readonly readyState: number;
};

/** hls.js in headless Chromium, on a page of another origin than the playlist's, as a customer would have it. */
export class Player implements AsyncDisposable {
	readonly #browser: Browser;
	readonly #server: http.Server;
	readonly page: Page;

	private constructor(browser: Browser, server: http.Server, page: Page) {
		this.#browser = browser;
		this.#server = server;
		this.page = page;
	}

	static async open(): Promise<Player> {
		const library = await readFile(createRequire(import.meta.url).resolve("hls.js/dist/hls.min.js"));
		const server = http.createServer((request, response) => {
			const script = request.url === "/hls.js";
			response
				.writeHead(200, { "content-type": script ? "text/javascript" : "text/html" })
				.end(script ? library : PAGE);
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: CHROMIUM_FLAGS });
		const page = await browser.newPage();
		await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
		return new Player(browser, server, page);
	}

	/** Begins to play. Errors show in {@link state}. */
	async play(url: string): Promise<void> {
		await this.page.evaluate(async (source) => {
			// The page has its own globals, which this compilation does not know.
			// biome-ignore lint/suspicious/noExplicitAny: see above
			const scope = globalThis as any;
			const video = scope.document.getElementById("video");
			const log = {
				errors: [] as string[],
				warnings: [] as string[],
				mediaSequences: [] as number[],
				discontinuitySequences: [] as number[],
				audioBytes: 0,
			};
			scope.playerLog = log;
			scope.hls?.destroy();
			const { Hls } = scope;
			const hls = new Hls({ liveSyncDurationCount: 2 });
			scope.hls = hls;
			hls.on(
				Hls.Events.ERROR,
				(
					_: unknown,
					data: { fatal: boolean; details: string; reason?: string; error?: Error; response?: { code: number } },
				) => {
					const line =
						`${data.details} ${data.response?.code ?? ""} ${data.reason ?? data.error?.message ?? ""}`.trim();
					(data.fatal ? log.errors : log.warnings).push(line);
				},
			);
			hls.on(Hls.Events.LEVEL_UPDATED, (_: unknown, data: { details: { startSN: number; startCC: number } }) => {
				log.mediaSequences.push(data.details.startSN);
				log.discontinuitySequences.push(data.details.startCC);
			});
			hls.on(Hls.Events.FRAG_BUFFERED, (_: unknown, data: { frag: { type: string }; stats: { total: number } }) => {
				if (data.frag.type === "audio") log.audioBytes += data.stats.total;
			});
			video.addEventListener("error", () =>
				log.errors.push(`video error ${video.error?.code}: ${video.error?.message}`),
			);
			hls.attachMedia(video);
			hls.loadSource(source);
			void video.play().catch(() => undefined);
		}, url);
	}

	state(): Promise<PlayerState> {
		return this.page.evaluate(() => {
			// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
			const scope = globalThis as any;
			const video = scope.document.getElementById("video");
			const quality = video.getVideoPlaybackQuality();
			return {
				...scope.playerLog,
				currentTime: video.currentTime,
				readyState: video.readyState,
				frames: quality.totalVideoFrames,
				dropped: quality.droppedVideoFrames,
				levels: scope.hls.levels.length,
				audioTracks: scope.hls.audioTracks.length,
			};
		});
	}

	/** Of the picture that is shown now, in pixels. */
	pictureSize(): Promise<{ readonly width: number; readonly height: number }> {
		return this.page.evaluate(() => {
			// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
			const { videoWidth: width, videoHeight: height } = (globalThis as any).document.getElementById("video");
			return { width, height };
		});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#browser.close();
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}
}
