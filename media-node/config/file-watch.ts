import { stat } from "node:fs/promises";
import type { Clock } from "#shared/clock.ts";

/** A file is looked at so often. Looking, instead of being told, works over every kind of mount. */
const INTERVAL_MS = 1_000;

/** Calls `onChange` after a file has become another one, and is whole: its size and time stayed for one look. */
export function watchFile(file: string, clock: Clock, onChange: () => void): Disposable {
	let seen: string | null = null;
	let settling: string | null = null;
	let isLooking = false;
	const look = async () => {
		const now = await markOf(file);
		if (seen === null) seen = now;
		else if (now === seen || now === "") settling = null;
		else if (now !== settling) settling = now;
		else {
			seen = now;
			settling = null;
			onChange();
		}
	};
	return clock.every(INTERVAL_MS, () => {
		if (isLooking) return;
		isLooking = true;
		void look().finally(() => {
			isLooking = false;
		});
	});
}

/** Empty while there is no such file, as in the moment when an editor replaces it. */
async function markOf(file: string): Promise<string> {
	try {
		const { mtimeMs, size, ino } = await stat(file);
		return `${mtimeMs} ${size} ${ino}`;
	} catch {
		// Gone for now: what runs goes on with what it has.
		return "";
	}
}
