import { isDeepStrictEqual } from "node:util";

/**
 * A part of the node that is closed and opened again when, and only when, the settings that it was opened with change.
 * What fails to open leaves nothing behind, and is tried again with the next change.
 */
export class Replaceable<Settings, Part extends AsyncDisposable> implements AsyncDisposable {
	readonly #open: (settings: Settings) => Promise<Part | null>;
	#settings: Settings | null = null;
	#part: Part | null = null;

	/** `open` gives `null` for a part that is switched off. */
	constructor(open: (settings: Settings) => Promise<Part | null>) {
		this.#open = open;
	}

	get part(): Part | null {
		return this.#part;
	}

	/** Says whether the part was replaced. @throws what `open` throws */
	async apply(settings: Settings): Promise<boolean> {
		if (this.#settings !== null && isDeepStrictEqual(this.#settings, settings)) return false;
		await this.#close();
		this.#part = await this.#open(settings);
		this.#settings = settings;
		return true;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#close();
	}

	async #close(): Promise<void> {
		const part = this.#part;
		this.#part = null;
		this.#settings = null;
		await part?.[Symbol.asyncDispose]();
	}
}
