/** The key of who is signed in: this tab has it, until it is closed. */

const NAME = "sluice.key";

export function storedKey(): string | null {
	try {
		return sessionStorage.getItem(NAME);
	} catch {
		// A browser that keeps nothing for pages: the key lives as long as the page does.
		return null;
	}
}

/** `null` forgets it. */
export function storeKey(key: string | null): void {
	try {
		if (key === null) sessionStorage.removeItem(NAME);
		else sessionStorage.setItem(NAME, key);
	} catch {
		// As above.
	}
}
