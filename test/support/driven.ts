import { eventually } from "./eventually.ts";
import type { FakeClock } from "./fake-clock.ts";

type Pace = { readonly stepMs?: number; readonly everyMs?: number };

/**
 * Moves the time of `clock` on by `stepMs`, each `everyMs` of real time, until `work` has settled. Says what came of it,
 * and how long it took by `clock`.
 */
export async function driven<T>(
	clock: FakeClock,
	work: Promise<T>,
	{ stepMs = 100, everyMs = 30 }: Pace = {},
): Promise<{ readonly value: T; readonly tookMs: number }> {
	const from = clock.now();
	let tookMs = -1;
	const settled = () => {
		tookMs = clock.now() - from;
	};
	work.then(settled, settled);
	const step = async () => {
		await clock.advance(stepMs);
		return tookMs >= 0;
	};
	await eventually("the end of what takes time", step, { everyMs, timeoutMs: 30_000 });
	return { value: await work, tookMs };
}
