import { Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { Radio } from "lucide-react";
import { useMemo, useState } from "react";
import { useSearchParams } from "wouter";
import { segment } from "../../api/client.ts";
import { useResource } from "../../api/hooks.ts";
import { HlsPlayer } from "../../player/hls-player.tsx";
import type { RtcFigures } from "../../player/rtc-figures.ts";
import { WhepPlayer } from "../../player/whep-player.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { type ClipMarks, ClipPanel, clipOf } from "./clip-panel.tsx";
import { type Recordings, spansOf } from "./recordings.ts";
import { RtcFacts } from "./rtc-facts.tsx";
import { Timeline } from "./timeline.tsx";
import type { Span } from "./timeline-scale.ts";

const POLL_MS = 10_000;
const NO_MARKS: ClipMarks = { inMs: null, outMs: null };

type Mode = "hls" | "webrtc";
/** What is played: the live edge, on from a moment, or a stretch to its end. */
type Wanted = { readonly startMs?: number; readonly endMs?: number };

/** The player of a path, by either protocol, and what was recorded under it. `isNew`: nobody has published to it yet. */
export function WatchTab({ path, isNew }: { path: string; isNew: boolean }) {
	const address = `/v1/streams/${segment(path)}/recordings`;
	const { data, problem } = useResource<Recordings>(isNew ? null : address, { pollMs: POLL_MS });
	const recordings = useMemo(() => (data === undefined ? [] : spansOf(data)), [data]);
	const [, setSearch] = useSearchParams();
	const [mode, setMode] = useState<Mode>("hls");
	const [wanted, setWanted] = useState<Wanted>({});
	const [playingAtMs, setPlayingAt] = useState<number | null>(null);
	const [figures, setFigures] = useState<RtcFigures | null>(null);
	const [marks, setMarks] = useState<ClipMarks>(NO_MARKS);

	/** Only HLS has a past. */
	const play = (next: Wanted) => {
		setMode("hls");
		setWanted(next);
		if (next.startMs !== undefined) setPlayingAt(next.startMs);
	};

	if (isNew) {
		return (
			<EmptyState
				icon={Radio}
				title="Nobody has published to this path yet"
				action={<Button onClick={() => setSearch({ tab: "connect" }, { replace: true })}>Connect an encoder</Button>}
			>
				Make a stream key, and run one of the commands. What is published plays here.
			</EmptyState>
		);
	}
	return (
		<Stack gap="md">
			<Group justify="space-between" gap="sm">
				<SegmentedControl
					aria-label="Protocol of the player"
					value={mode}
					data={[
						{ value: "hls", label: "HLS" },
						{ value: "webrtc", label: "WebRTC" },
					]}
					onChange={(value) => {
						setMode(value === "webrtc" ? "webrtc" : "hls");
						setWanted({});
						setPlayingAt(null);
						setFigures(null);
					}}
				/>
				<Text size="sm" c="dimmed">
					{mode === "hls"
						? "Seconds behind, for any number of viewers"
						: "A fraction of a second behind, from the node itself"}
				</Text>
			</Group>
			{mode === "hls" ? (
				<HlsPlayer path={path} {...wanted} onPlayingAt={setPlayingAt} />
			) : (
				<WhepPlayer path={path} onFigures={setFigures} />
			)}
			{mode === "webrtc" && figures !== null && <RtcFacts figures={figures} />}
			<ProblemAlert problem={problem?.status === 404 ? null : problem} />
			<Timeline
				recordings={recordings}
				retention={data?.retention ?? null}
				playingAtMs={playingAtMs}
				startMs={wanted.startMs ?? null}
				range={clipOf(marks)}
				onSeek={(startMs) => play({ startMs })}
				onLive={() => play({})}
			/>
			<ClipPanel
				path={path}
				playingAtMs={playingAtMs}
				marks={marks}
				onMark={setMarks}
				onPlay={(clip: Span) => play(clip)}
			/>
		</Stack>
	);
}
