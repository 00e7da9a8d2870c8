import { useEffect, useReducer } from "react";
import { elapsed } from "./elapsed.ts";

/** A moment as the time since or until it; the exact time is its title. `at` as in RFC 3339. */
export function RelativeTime({ at }: { at: string }) {
	const [, redraw] = useReducer((count: number) => count + 1, 0);
	const atMs = Date.parse(at);
	const nowMs = Date.now();
	const everyMs = Math.abs(atMs - nowMs) < 120_000 ? 1_000 : 30_000;
	useEffect(() => {
		const timer = setInterval(redraw, everyMs);
		return () => clearInterval(timer);
	}, [everyMs]);
	return (
		<time dateTime={at} title={new Date(atMs).toLocaleString()}>
			{elapsed(atMs, nowMs)}
		</time>
	);
}
