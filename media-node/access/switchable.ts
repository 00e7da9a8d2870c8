import type { AccessRequest, Authenticator, Grant } from "./access.ts";

/** An authenticator that can be replaced while it is in use: who asks next asks the new one. */
export class SwitchableAuthenticator implements Authenticator, Disposable {
	#current: Authenticator & Partial<Disposable>;
	readonly #listeners = new Set<() => void>();

	constructor(current: Authenticator & Partial<Disposable>) {
		this.#current = current;
	}

	authorize(request: AccessRequest, signal?: AbortSignal): Promise<Grant> {
		return this.#current.authorize(request, signal);
	}

	/** What was granted before may be granted no more: sessions that hear of it ask again. */
	onChange(listener: () => void): Disposable {
		this.#listeners.add(listener);
		return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
	}

	/** Says that the answers may be others now: sessions ask again. */
	recheck(): void {
		for (const listener of this.#listeners) listener();
	}

	replace(next: Authenticator & Partial<Disposable>): void {
		const before = this.#current;
		this.#current = next;
		before[Symbol.dispose]?.();
		this.recheck();
	}

	[Symbol.dispose](): void {
		this.#current[Symbol.dispose]?.();
	}
}
