/** A page that was opened before the console was updated: what it has not loaded yet is not there any more. */

const NAME = "sluice.reloaded";
/** So seldom the page loads itself again: what fails after that is not mended by it, and shows. */
const RELOAD_EVERY_MS = 60_000;

/** Where it is remembered when the page loaded itself again: for this tab, since a reload forgets all else. */
type Memory = { getItem(key: string): string | null; setItem(key: string, value: string): void };

/**
 * Whether a page that cannot load a part of itself may load itself again at `nowMs`, by when it last did; and remembers
 * that. Never where nothing can be remembered, since that might go on for ever. Never throws.
 */
export function mayReload(memory: () => Memory, nowMs: number): boolean {
	try {
		const last = memory().getItem(NAME);
		// A clock that was set back by more makes no page wait.
		if (last !== null && Math.abs(nowMs - Number(last)) < RELOAD_EVERY_MS) return false;
		memory().setItem(NAME, String(nowMs));
		return memory().getItem(NAME) === String(nowMs);
	} catch {
		// A browser that keeps nothing for pages.
		return false;
	}
}

type Page = Pick<EventTarget, "addEventListener"> & {
	readonly navigator: { readonly onLine: boolean };
	readonly sessionStorage: Memory;
	readonly location: { reload(): void };
};

/** Loads the page again when a part of it is gone. Otherwise the error goes on to where the part was asked for. */
export function reloadWhenStale(page: Page): void {
	page.addEventListener("vite:preloadError", () => {
		// Without a network the page that stands is better than none.
		if (page.navigator.onLine && mayReload(() => page.sessionStorage, Date.now())) page.location.reload();
	});
}
