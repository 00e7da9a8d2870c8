/** Waits until `condition` gives something other than `undefined`, `null` or `false`; fails with its last error or `what`. */
export async function eventually<T>(
	what: string,
	condition: () => T | Promise<T>,
	{ timeoutMs = 10_000, everyMs = 20 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<NonNullable<Exclude<T, false>>> {
	const deadline = performance.now() + timeoutMs;
	let last: unknown;
	for (;;) {
		try {
			const value = await condition();
			if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>;
			last = undefined;
		} catch (error) {
			last = error;
		}
		if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`, { cause: last });
		await new Promise((resolve) => setTimeout(resolve, everyMs));
	}
}
