import path from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConsoleWorld, plays, violationsOf } from "../support/console-world.ts";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { Player } from "../support/player.ts";
import { Program } from "../support/program.ts";
import { receiver } from "../support/receiver.ts";

/** `npm run screenshots`: the README's pictures are taken on the way. */
const SCREENSHOTS =
	process.env["SCREENSHOTS"] === "1" ? path.resolve(import.meta.dirname, "../../docs/screenshots") : null;
const CAM = "gate/cam01";
/** What a node takes to follow a change, at most. */
const FOLLOW_MS = 5_000;

/** One story, in its order: each test goes on where the one before has left the console. */
describe("the console, in Chromium, over workerd and a live stream", () => {
	const stack = new AsyncDisposableStack();
	let world: ConsoleWorld;
	let context: BrowserContext;
	let page: Page;
	let camera: Program;
	let hooks: Awaited<ReturnType<typeof receiver>>;
	/** Errors of the page itself, which no step may leave. */
	const faults: string[] = [];
	let status = 500;

	beforeAll(async () => {
		world = stack.use(await ConsoleWorld.open());
		hooks = stack.use(await receiver(() => status));
		context = await world.window({ bypassCSP: false });
		page = await context.newPage();
		page.on("pageerror", (error) => faults.push(error.message));
		page.setDefaultTimeout(20_000);
	}, 120_000);
	afterAll(() => stack.disposeAsync());

	const go = (address: string) => page.goto(`${world.url}${address}`);
	const tab = (name: string) => page.getByRole("tab", { name, exact: true }).click();
	const heading = (name: string | RegExp) => page.getByRole("heading", { level: 1, name }).waitFor();
	const shoot = async (name: string, options: { fullPage?: boolean } = {}) => {
		if (SCREENSHOTS === null) return;
		await page.mouse.wheel(0, -10_000);
		await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), ...options });
	};

	it("refuses a key that is none, and signs in with one that is", async () => {
		await go("");
		await page.getByLabel("API key").fill(`slk_${"A".repeat(43)}`);
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByText(/not let in/).waitFor();
		await page.getByLabel("API key").fill(await world.key("admin"));
		await page.getByRole("button", { name: "Sign in" }).click();
		await heading("Live");
		await page
			.getByText(/ffmpeg/)
			.first()
			.waitFor();
	});

	it("creates a path", async () => {
		await page.getByRole("link", { name: "Paths" }).click();
		await heading("Paths");
		await page.getByRole("button", { name: "New path" }).click();
		await page.getByRole("dialog").getByLabel("Name").fill(CAM);
		await page.getByRole("button", { name: "Go on" }).click();
		await heading(CAM);
		await settings({ hlsSegmentDuration: "1s", hlsRetention: "1h" });
		expect(await (await world.api("GET", `/v1/paths/${CAM}`)).json()).toMatchObject({
			config: { hlsSegmentDuration: "1s", hlsRetention: "1h" },
		});
	});

	it("says where to publish, and shows what is published among the live streams", async () => {
		await go(`paths/${CAM}?tab=connect`);
		await page.getByRole("button", { name: "Make a stream key" }).click();
		const address = await page.getByLabel(/^RTSP/).first().inputValue();
		expect(address).toContain(world.node.rtsp(CAM).replace("rtsp://", ""));
		camera = stack.use(publish(await sample(), address));
		await page.getByRole("link", { name: "Live" }).click();
		await heading("Live");
		const tile = page.getByRole("article", { name: CAM });
		await tile.waitFor({ timeout: 30_000 });
		await tile.getByText(/H264 \+ AAC/).waitFor();
		await eventually(
			"the thumbnail of the stream",
			() =>
				tile.locator("canvas, img").evaluateAll((found) =>
					found.some((element) => {
						const { width, naturalWidth } = element as unknown as { width: number; naturalWidth?: number };
						return (naturalWidth ?? width) > 0;
					}),
				),
			{ timeoutMs: 30_000, everyMs: 500 },
		);
		expect(camera.running).toBe(true);
		if (SCREENSHOTS !== null) await fillWall();
		await shoot("live");
	});

	it("plays it by HLS and by WHEP", async () => {
		await page.getByRole("article", { name: CAM }).getByRole("link").first().click();
		await heading(CAM);
		await plays(page, "HLS plays");
		await page.getByText("WebRTC", { exact: true }).first().click();
		await plays(page, "WHEP plays");
		await page.getByText("HLS", { exact: true }).first().click();
		await plays(page, "HLS plays again");
	});

	it("scrubs back, and returns to live", async () => {
		await eventually(
			"twenty seconds that can be played back",
			async () => {
				const { items } = (await (await world.api("GET", `/v1/streams/${CAM}/recordings`)).json()) as {
					items: { start: string; end: string }[];
				};
				const [first] = items;
				return first !== undefined && Date.parse(first.end) - Date.parse(first.start) > 20_000;
			},
			{ timeoutMs: 60_000, everyMs: 500 },
		);
		const asked: string[] = [];
		page.on("request", (request) => asked.push(request.url()));
		const timeline = page.getByRole("slider", { name: "Timeline" });
		await timeline.focus();
		await timeline.press("Home");
		await eventually("a playlist from back then", async () => asked.some((url) => /\.m3u8\?.*start=/.test(url)));
		await plays(page, "what was recorded plays");
		await shoot("path", { fullPage: true });
		await page.getByRole("button", { name: /live/i }).last().click();
		await plays(page, "live plays again");
	});

	it("changes the configuration, and the node follows within five seconds", async () => {
		await go(`paths/${CAM}?tab=configuration`);
		const before = world.node.logged("The configuration in the bucket has changed").length;
		await settings({ hlsSegmentDuration: "2s" });
		await eventually(
			"the node has it",
			async () => world.node.logged("The configuration in the bucket has changed").length > before,
			{ timeoutMs: FOLLOW_MS },
		);
		const token = await readToken();
		await eventually(
			"segments of two seconds",
			async () => /#EXTINF:2\.0/.test(await (await fetch(`${world.worker.url}/${token}/${CAM}/v0.m3u8`)).text()),
			{ timeoutMs: 30_000, everyMs: 500 },
		);
		await tab("History");
		await page.getByRole("tabpanel", { name: "History" }).getByText("hlsSegmentDuration").first().waitFor();
	});

	it("revokes a viewer, whose playback ends", async () => {
		const token = await readToken();
		await using viewer = await Player.open();
		await viewer.play(`${world.worker.url}/${token}/${CAM}/index.m3u8`);
		await eventually("the viewer watches", async () => (await viewer.state()).currentTime > 2, { timeoutMs: 30_000 });
		await go(`paths/${CAM}?tab=viewers`);
		await page.getByLabel("Which one").fill(token);
		await page.getByRole("button", { name: "End playback", exact: true }).click();
		await page.getByRole("dialog").getByRole("button", { name: "End playback" }).click();
		const address = `${world.worker.url}/${token}/${CAM}/index.m3u8`;
		await eventually("the token is refused", async () => (await fetch(address)).status === 401, { timeoutMs: 10_000 });
		await eventually("the player ends with an error", async () => (await viewer.state()).errors.length > 0, {
			timeoutMs: 60_000,
			everyMs: 500,
		});
	});

	it("adds a webhook, shows a delivery that failed, and replays it", async () => {
		await page.getByRole("link", { name: "Webhooks" }).click();
		await heading("Webhooks");
		await page.getByRole("button", { name: /^Add/ }).first().click();
		await page.getByLabel("URL").fill(hooks.url);
		await page
			.getByRole("dialog")
			.getByRole("button", { name: /^(Add|Save|Make)/ })
			.click();
		await page
			.getByRole("dialog")
			.getByLabel(/secret/i)
			.first()
			.waitFor();
		await page.keyboard.press("Escape");
		// 410 says that nothing will ever be taken: the delivery is given up, and the endpoint not called any more.
		status = 410;
		await page
			.getByRole("button", { name: /^Send a test/ })
			.first()
			.click();
		const [refused] = await eventually("a delivery is refused", async () => {
			await world.worker.scheduled();
			return hooks.deliveries.length > 0 && hooks.deliveries;
		});
		await page.keyboard.press("Escape");
		status = 204;
		await world.api("PATCH", `/v1/webhooks/${await webhookId()}`, { disabled: false });
		await go("webhooks");
		await tab("Deliveries");
		await page.getByText("Given up", { exact: true }).first().click();
		const { type, data } = JSON.parse(refused?.body ?? "") as { type: string; data: { path?: string } };
		const row = page
			.getByRole("row")
			.filter({ hasText: type })
			.filter({ hasText: data.path ?? "" });
		await row.getByRole("button", { name: type, exact: true }).first().click();
		await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
		const id = refused?.headers["webhook-id"];
		await eventually("it is delivered again, with the same id", async () => {
			await world.worker.scheduled();
			return hooks.deliveries.filter(({ headers }) => headers["webhook-id"] === id).length > 1;
		});
	});

	it.each(["light", "dark"] as const)(
		"breaks no rule of WCAG AA, %s, also on a phone",
		async (colorScheme) => {
			await page.emulateMedia({ colorScheme });
			const found: Record<string, string[]> = {};
			const look = async (address: string) => {
				await go(address);
				await page.getByRole("heading", { level: 1 }).waitFor();
				await page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => undefined);
				const violations = await violationsOf(page);
				if (violations.length > 0) found[`${address} ${page.viewportSize()?.width}`] = violations;
			};
			const tabs = ["watch", "connect", "events", "health", "viewers", "configuration", "history"];
			const pages = ["", "paths", "nodes", "webhooks", "keys", "usage", "audit"];
			for (const address of [...pages, ...tabs.map((name) => `paths/${CAM}?tab=${name}`)]) await look(address);
			await page.setViewportSize({ width: 390, height: 844 });
			for (const address of [...pages, `paths/${CAM}`]) {
				await look(address);
				const isWide = await page.evaluate(() => {
					// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
					const { document, innerWidth } = globalThis as any;
					return document.documentElement.scrollWidth > innerWidth;
				});
				expect(isWide, `${address} scrolls sideways`).toBe(false);
			}
			if (colorScheme === "dark") await shoot("phone");
			await page.setViewportSize({ width: 1280, height: 860 });
			expect(found).toEqual({});
		},
		240_000,
	);

	it("has left no error in the page", () => {
		expect(faults).toEqual([]);
	});

	/** More streams, for a picture that shows what a wall is for. */
	async function fillWall(): Promise<void> {
		const sources = {
			"dock/east": "mandelbrot=size=640x360:rate=25",
			"yard/drone": "smptehdbars=size=640x360:rate=25",
		};
		for (const [name, source] of Object.entries(sources)) {
			const made = await world.api("POST", "/v1/stream-keys", { path: name, action: "publish", expiresIn: "1h" });
			const { streamKey } = (await made.json()) as { streamKey: string };
			const gop = name === "yard/drone" ? "250" : "50";
			const input = ["-v", "error", "-re", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast"];
			const output = ["-pix_fmt", "yuv420p", "-g", gop, "-f", "rtsp", "-rtsp_transport", "tcp"];
			stack.use(new Program("ffmpeg", [...input, ...output, `${world.node.rtsp(name)}?token=${streamKey}`]));
		}
		await page
			.getByRole("article", { name: "yard/drone" })
			.getByText(/key frame/i)
			.first()
			.waitFor({ timeout: 60_000 });
		await eventually(
			"a thumbnail of each",
			async () => (await page.locator("article canvas, article img").count()) >= 3,
			{
				timeoutMs: 40_000,
			},
		);
	}

	/** Sets values in the form of the path, and saves. */
	async function settings(values: Readonly<Record<string, string>>): Promise<void> {
		for (const [key, value] of Object.entries(values)) {
			await page
				.getByLabel(/search/i)
				.first()
				.fill(key);
			const input = page.getByRole("textbox", { name: new RegExp(key) });
			await input.fill(value);
		}
		await page.getByRole("button", { name: /^(Save|Make the path)$/ }).click();
		await page.getByRole("region", { name: "Unsaved changes" }).waitFor({ state: "detached" });
	}

	async function readToken(): Promise<string> {
		const response = await world.api("POST", "/v1/tokens", { path: CAM, actions: ["read"], expiresIn: "1h" });
		return ((await response.json()) as { token: string }).token;
	}

	async function webhookId(): Promise<string> {
		const { items } = (await (await world.api("GET", "/v1/webhooks")).json()) as { items: { id: string }[] };
		return items[0]?.id ?? "";
	}
});
