import type { Mp4Sample } from "./sample-table.ts";

/** The samples of a track, which come in the order of their decoding times. */
export type Lane<T> = {
	readonly lane: T;
	readonly samples: Iterator<Mp4Sample>;
	readonly timescale: number;
	readonly shift: number;
};

type Head<T> = { readonly from: Lane<T>; sample: Mp4Sample; seconds: number };

/** The samples of several tracks in the order of their decoding times. */
export function* merged<T>(lanes: readonly Lane<T>[]): Generator<{ readonly lane: T; readonly sample: Mp4Sample }> {
	const heads: Head<T>[] = [];
	for (const from of lanes) {
		const next = from.samples.next();
		if (next.done !== true) heads.push({ from, sample: next.value, seconds: secondsOf(from, next.value) });
	}
	for (;;) {
		let first: Head<T> | null = null;
		for (const head of heads) if (first === null || head.seconds < first.seconds) first = head;
		if (first === null) return;
		yield { lane: first.from.lane, sample: first.sample };
		const next = first.from.samples.next();
		if (next.done === true) {
			heads.splice(heads.indexOf(first), 1);
		} else {
			first.sample = next.value;
			first.seconds = secondsOf(first.from, next.value);
		}
	}
}

function secondsOf<T>({ timescale, shift }: Lane<T>, sample: Mp4Sample): number {
	return (sample.dts + shift) / timescale;
}
