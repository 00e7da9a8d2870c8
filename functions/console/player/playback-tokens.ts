import type { Api } from "../api/client.ts";

type Held = { readonly token: string; readonly renewAtMs: number };

/** Long enough that nobody is cut off between two renewals, short enough to be worth little to others. */
const LIFE_MS = 30 * 60_000;
/** The part of its life after which a token is replaced. */
const RENEW_AFTER = 0.7;

/**
 * Short tokens to watch with, in memory alone: one for every path where who is signed in may have that, else one for each
 * path. Asked for when they are first needed, and anew when most of their life is over.
 */
export class PlaybackTokens {
	readonly #api: Api;
	readonly #isForAll: boolean;
	readonly #subject: string;
	readonly #now: () => number;
	readonly #held = new Map<string, Promise<Held>>();

	/** `isForAll`: whether a token for every path will be given. `subject`: whom they are for. */
	constructor(api: Api, isForAll: boolean, subject: string, now: () => number = Date.now) {
		this.#api = api;
		this.#isForAll = isForAll;
		this.#subject = subject;
		this.#now = now;
	}

	/** A token that reads the path. */
	async for(path: string): Promise<string> {
		const scope = this.#isForAll ? "" : path;
		const held = await this.#held.get(scope);
		if (held !== undefined && held.renewAtMs > this.#now()) return held.token;
		const asked = this.#ask(scope);
		this.#held.set(scope, asked);
		// The next one who needs it asks again.
		asked.catch(() => this.#held.delete(scope));
		return (await asked).token;
	}

	/** The token of a path was refused: the next one is a new one. */
	forget(path: string): void {
		this.#held.delete(this.#isForAll ? "" : path);
	}

	async #ask(scope: string): Promise<Held> {
		const askedMs = this.#now();
		const { body } = await this.#api.send<{ token: string }>("POST", "/v1/tokens", {
			permissions: [{ action: "read", path: scope }],
			expiresIn: `${LIFE_MS / 60_000}m`,
			subject: this.#subject,
		});
		return { token: body.token, renewAtMs: askedMs + LIFE_MS * RENEW_AFTER };
	}
}
