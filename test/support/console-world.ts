import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { bucketUrlOf, type DevWorker, generateWorkerKeys, startDevWorker } from "../../functions/dev-worker.ts";
import { eventually } from "./eventually.ts";
import { Sluice } from "./sluice.ts";
import { tempDir } from "./temp-dir.ts";

const FLAGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--autoplay-policy=no-user-gesture-required",
	// Machines without a network have no other address.
	"--allow-loopback-in-peer-connection",
];

/** The functions in workerd, a node that joined them, and a browser for the console. */
export class ConsoleWorld implements AsyncDisposable {
	readonly worker: DevWorker;
	readonly node: Sluice;
	readonly browser: Browser;
	readonly #stack: AsyncDisposableStack;

	private constructor(worker: DevWorker, node: Sluice, browser: Browser, stack: AsyncDisposableStack) {
		this.worker = worker;
		this.node = node;
		this.browser = browser;
		this.#stack = stack;
	}

	static async open(): Promise<ConsoleWorld> {
		await using stack = new AsyncDisposableStack();
		const keys = await generateWorkerKeys();
		const worker = stack.use(await startDevWorker({ port: 0, keys, persist: null }));
		const folder = stack.use(await tempDir());
		const admin = await adminToken(worker);
		const { accessKeyId, secretAccessKey } = worker.s3;
		const node = stack.use(
			await Sluice.start({
				folder: folder.path,
				nodeOnly: true,
				command: ["join", "--control", worker.url, "--key", admin, "--public-host", "127.0.0.1"],
				config: "nodeId: edge-a\nnodeHeartbeat: 1s\nnodeRegion: eu-west-1",
				env: {
					SLUICE_BUCKET: bucketUrlOf(worker),
					AWS_ACCESS_KEY_ID: accessKeyId,
					AWS_SECRET_ACCESS_KEY: secretAccessKey,
				},
			}),
		);
		const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
		stack.defer(() => browser.close());
		return new ConsoleWorld(worker, node, browser, stack.move());
	}

	get url(): string {
		return `${this.worker.url}/console/`;
	}

	/** Calls the API as an administrator. */
	async api(method: string, path: string, body?: unknown): Promise<Response> {
		return fetch(this.worker.url + path, {
			method,
			headers: {
				authorization: `Bearer ${await adminToken(this.worker)}`,
				...(body === undefined ? {} : { "content-type": "application/json" }),
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
	}

	/** A new API key. */
	async key(role: "viewer" | "operator" | "admin"): Promise<string> {
		const response = await this.api("POST", "/v1/keys", { name: `ana, ${role}`, role });
		return ((await response.json()) as { key: string }).key;
	}

	/** A browser window of its own. */
	window(options: Parameters<Browser["newContext"]>[0] = {}): Promise<BrowserContext> {
		return this.browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#stack.disposeAsync();
	}
}

function adminToken({ keys }: DevWorker): Promise<string> {
	const grant = { permissions: [{ action: "api" as const, path: "" }], subject: "test" };
	return issueToken(keys.signingKeys, { ...grant, expiresMs: systemClock.now() + 3_600_000 }, systemClock);
}

/** What breaks WCAG 2.2 A and AA on a page as it is now, a line each. */
export async function violationsOf(page: Page): Promise<string[]> {
	await page.evaluate(axe.source);
	return page.evaluate(async () => {
		// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
		const { axe, document } = globalThis as any;
		const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
		const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
		return violations.flatMap((violation: { id: string; nodes: { target: string[]; failureSummary: string }[] }) =>
			violation.nodes.map((node) => `${violation.id} at ${node.target.join(" ")}: ${node.failureSummary}`),
		);
	});
}

/** Waits until the player of a page has played for `seconds` since it was first looked at. */
export async function plays(page: Page, what: string, seconds = 2): Promise<void> {
	const video = page.locator("main video").first();
	let firstS: number | null = null;
	await eventually(
		what,
		async () => {
			const timeS = await video.evaluate((element) => {
				const { currentTime, readyState } = element as unknown as { currentTime: number; readyState: number };
				return readyState >= 2 ? currentTime : null;
			});
			if (timeS === null) return false;
			firstS ??= timeS;
			return timeS > firstS + seconds;
		},
		{ timeoutMs: 40_000, everyMs: 250 },
	);
}
