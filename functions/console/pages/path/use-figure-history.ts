import { useEffect, useRef, useState } from "react";
import { systemClock } from "#shared/clock.ts";
import { bitrateOf, type Stream } from "../live/stream.ts";
import { extended, type Figure } from "./figure-history.ts";

const EVERY_MS = 3_000;

/** The figures of a stream since its page was opened; nothing is added while it is not live. */
export function useFigureHistory(stream: Stream | undefined): readonly Figure[] {
	const newest = useRef(stream);
	newest.current = stream;
	const [history, setHistory] = useState<readonly Figure[]>([]);
	useEffect(() => {
		const timer = systemClock.every(EVERY_MS, () => {
			const { current } = newest;
			if (current?.live !== true || document.hidden) return;
			const figure = {
				atMs: systemClock.now(),
				bitsPerSecond: bitrateOf(current),
				viewers: current.health?.viewers.total ?? 0,
			};
			setHistory((before) => extended(before, figure));
		});
		return () => timer[Symbol.dispose]();
	}, []);
	return history;
}
