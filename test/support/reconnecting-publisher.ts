/** An encoder that is told where to publish, and asks again when the connection breaks. */

import { publish } from "./ffmpeg.ts";
import type { Program } from "./program.ts";

const BETWEEN_ATTEMPTS_MS = 250;
/** So long a node counts as not to be reached. */
const AVOID_MS = 10_000;

type Place = { readonly node: { readonly id: string }; readonly urls: { readonly rtsp: string } };

/** Publishes a film in a loop, on whatever node `ask` names, until disposal. */
export class ReconnectingPublisher implements AsyncDisposable {
	/** The node of the attempt that runs. */
	nodeId: string | null = null;
	readonly #ask: (avoid: string) => Promise<Response>;
	readonly #film: string;
	readonly #token: string;
	readonly #loop: Promise<void>;
	#program: Program | null = null;
	#isOver = false;

	/**
	 * `ask`: GET /ingest/{path}, with the node that just failed, or "". `avoids`: whether it tells; an encoder that
	 * follows redirects alone cannot.
	 */
	constructor(options: {
		readonly ask: (avoid: string) => Promise<Response>;
		readonly film: string;
		readonly token: string;
		readonly avoids: boolean;
	}) {
		this.#ask = options.ask;
		this.#film = options.film;
		this.#token = options.token;
		this.#loop = this.#run(options.avoids);
	}

	/** What the attempt that runs has said. */
	get errors(): string {
		return this.#program?.errors ?? "";
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#isOver = true;
		await this.#program?.stop("SIGKILL");
		await this.#loop;
	}

	async #run(avoids: boolean): Promise<void> {
		let failed = { id: "", atMs: 0 };
		while (!this.#isOver) {
			const avoid = avoids && performance.now() - failed.atMs < AVOID_MS ? failed.id : "";
			const response = await this.#ask(avoid).catch(() => null);
			if (response?.ok === true && !this.#isOver) {
				const { node, urls } = (await response.json()) as Place;
				this.nodeId = node.id;
				this.#program = publish(this.#film, `${urls.rtsp}?token=${this.#token}`);
				await this.#program.exited;
				failed = { id: node.id, atMs: performance.now() };
			}
			await new Promise((resolve) => setTimeout(resolve, BETWEEN_ATTEMPTS_MS));
		}
	}
}
