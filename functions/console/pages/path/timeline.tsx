import { Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { Radio } from "lucide-react";
import { useState } from "react";
import { spokenDuration } from "./event-sentence.ts";
import { totalMs } from "./recordings.ts";
import { TimelineBar } from "./timeline-bar.tsx";
import { firstZoom, reaching, type Span, viewOf, ZOOMS, type Zoom } from "./timeline-scale.ts";
import { momentText } from "./timeline-words.ts";
import { useNow } from "./use-now.ts";

export type TimelineProps = {
	readonly recordings: readonly Span[];
	/** Seconds; `null`: not known. */
	readonly retention: number | null;
	readonly playingAtMs: number | null;
	/** Where playback was told to begin; `null`: it follows the live edge. */
	readonly startMs: number | null;
	readonly range: Span | null;
	readonly onSeek: (ms: number) => void;
	readonly onLive: () => void;
};

const ZOOM_NAMES: Readonly<Record<Zoom, string>> = {
	minutes: "10 min",
	hour: "Hour",
	day: "Day",
	all: "All",
};

/** What was recorded, as a bar that one can go along, with its zoom and the way back to the live edge. */
export function Timeline(props: TimelineProps) {
	const { recordings, retention, playingAtMs, startMs, range, onSeek, onLive } = props;
	const [chosen, setZoom] = useState<Zoom | null>(null);
	const nowMs = useNow(1_000);
	const zoom = chosen ?? firstZoom(recordings, nowMs, retention === null ? null : retention * 1000);
	const view = viewOf(zoom, startMs ?? nowMs, nowMs, recordings);
	return (
		<Stack gap="xs">
			<Group justify="space-between" gap="xs">
				<SegmentedControl
					size="xs"
					aria-label="Zoom of the timeline"
					value={zoom}
					data={ZOOMS.map((value) => ({ value, label: ZOOM_NAMES[value] }))}
					onChange={(value) => setZoom(ZOOMS.find((known) => known === value) ?? "minutes")}
				/>
				<Button
					size="xs"
					variant={startMs === null ? "light" : "filled"}
					disabled={startMs === null}
					leftSection={<Radio size={14} aria-hidden />}
					onClick={onLive}
				>
					{startMs === null ? "Live" : "Back to live"}
				</Button>
			</Group>
			<TimelineBar recordings={reaching(recordings, playingAtMs)} {...{ view, playingAtMs, range, onSeek, onLive }} />
			<Text size="sm">
				{startMs === null ? "Live" : "Played back"}:{" "}
				<span style={{ fontVariantNumeric: "tabular-nums" }}>
					{playingAtMs === null ? "—" : momentText(playingAtMs)}
				</span>
			</Text>
			<Text size="xs" c="dimmed">
				{recordings.length === 0
					? "Nothing can be played back yet. What is published is recorded, and shows here within seconds."
					: `${spokenDuration(totalMs(recordings))} can be played back${keptText(retention)}. Click the bar to go there, or use the arrow keys (10 s).`}
			</Text>
		</Stack>
	);
}

function keptText(retention: number | null): string {
	return retention === null ? "" : `; each moment is kept for ${spokenDuration(retention * 1000)}`;
}
