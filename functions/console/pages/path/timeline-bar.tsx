import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { systemClock } from "#shared/clock.ts";
import classes from "./timeline-bar.module.css";
import { fractionOf, momentAt, nearestPlayable, type Span, stepAlong, ticksOf, visibleIn } from "./timeline-scale.ts";
import { clockText, momentText } from "./timeline-words.ts";

export type TimelineBarProps = {
	readonly view: Span;
	readonly recordings: readonly Span[];
	/** The moment of the picture; `null` while nothing plays. */
	readonly playingAtMs: number | null;
	/** What is chosen for a clip. */
	readonly range: Span | null;
	readonly onSeek: (ms: number) => void;
	readonly onLive: () => void;
};

const STEP_MS = 10_000;
/** Of the view, by Page Up and Page Down. */
const PAGE_FRACTION = 0.1;
/** Keys that follow each other so fast are one wish. */
const SETTLE_MS = 400;
const TICK_WIDTH_PX = 110;

/** The stretches that can be played, as a slider: by pointer or keys, one lands on the nearest moment that there is. */
export function TimelineBar({ view, recordings, playingAtMs, range, onSeek, onLive }: TimelineBarProps) {
	const { ref, width } = useElementSize<HTMLDivElement>();
	const [preview, setPreview] = useState<number | null>(null);
	const settling = useRef<Disposable | null>(null);
	useEffect(() => () => settling.current?.[Symbol.dispose](), []);

	const momentUnder = (event: PointerEvent<HTMLElement>): number | null => {
		const box = event.currentTarget.getBoundingClientRect();
		return nearestPlayable(recordings, momentAt(view, (event.clientX - box.left) / box.width));
	};

	const wish = (moment: number | null) => {
		if (moment === null) return;
		setPreview(moment);
		settling.current?.[Symbol.dispose]();
		settling.current = systemClock.after(SETTLE_MS, () => {
			setPreview(null);
			onSeek(moment);
		});
	};

	const onKeyDown = (event: KeyboardEvent) => {
		const from = preview ?? playingAtMs ?? view.endMs;
		const page = (view.endMs - view.startMs) * PAGE_FRACTION;
		const deltas: Record<string, number> = {
			ArrowLeft: -STEP_MS,
			ArrowDown: -STEP_MS,
			ArrowRight: STEP_MS,
			ArrowUp: STEP_MS,
			PageDown: -page,
			PageUp: page,
		};
		const delta = deltas[event.key];
		if (delta !== undefined) wish(stepAlong(recordings, from, delta));
		else if (event.key === "Home") wish(recordings[0]?.startMs ?? null);
		else if (event.key === "End") onLive();
		else return;
		event.preventDefault();
	};

	const shown = preview ?? playingAtMs ?? view.endMs;
	return (
		<div>
			<div
				ref={ref}
				className={classes["bar"]}
				role="slider"
				tabIndex={0}
				aria-label="Timeline"
				aria-valuemin={Math.round(view.startMs / 1000)}
				aria-valuemax={Math.round(view.endMs / 1000)}
				aria-valuenow={Math.round(Math.min(view.endMs, Math.max(view.startMs, shown)) / 1000)}
				aria-valuetext={momentText(shown)}
				title={preview === null ? undefined : momentText(preview)}
				onKeyDown={onKeyDown}
				onPointerDown={(event) => {
					event.currentTarget.setPointerCapture(event.pointerId);
					setPreview(momentUnder(event));
				}}
				onPointerMove={(event) => {
					if (event.currentTarget.hasPointerCapture(event.pointerId)) setPreview(momentUnder(event));
				}}
				onPointerCancel={() => setPreview(null)}
				onPointerUp={(event) => {
					const moment = momentUnder(event);
					setPreview(null);
					if (moment !== null) onSeek(moment);
				}}
			>
				{visibleIn(view, recordings).map(({ span, left, width }) => (
					<div key={span.startMs} className={classes["stretch"]} style={placed(left, width)} />
				))}
				{range !== null &&
					visibleIn(view, [range]).map(({ left, width }) => (
						<div key="range" className={classes["range"]} style={placed(left, width)} />
					))}
				{playingAtMs !== null && <div className={classes["head"]} style={placed(fractionOf(view, playingAtMs))} />}
				{preview !== null && <div className={classes["preview"]} style={placed(fractionOf(view, preview))} />}
			</div>
			<div className={classes["ticks"]} aria-hidden>
				{ticksOf(view, Math.max(2, Math.floor(width / TICK_WIDTH_PX)), offsetMs(view.endMs))
					.map((at) => ({ at, x: fractionOf(view, at) * width }))
					.filter(({ x }) => x > TICK_WIDTH_PX / 2 && x < width - TICK_WIDTH_PX / 2)
					.map(({ at, x }) => (
						<span key={at} className={classes["tick"]} style={{ left: x }}>
							{clockText(at, view.endMs - view.startMs)}
						</span>
					))}
			</div>
		</div>
	);
}

function placed(left: number, width?: number) {
	return { left: `${left * 100}%`, ...(width === undefined ? {} : { width: `${width * 100}%` }) };
}

/** Local time less UTC. */
function offsetMs(atMs: number): number {
	return -new Date(atMs).getTimezoneOffset() * 60_000;
}
