import { useEffect, useState } from "react";
import { systemClock } from "#shared/clock.ts";

/** The wall-clock time, milliseconds since the Unix epoch, anew each `everyMs`. */
export function useNow(everyMs: number): number {
	const [nowMs, setNow] = useState(() => systemClock.now());
	useEffect(() => {
		const timer = systemClock.every(everyMs, () => setNow(systemClock.now()));
		return () => timer[Symbol.dispose]();
	}, [everyMs]);
	return nowMs;
}
