import { Button, Group, Paper, Select, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useCan, useChange } from "../../api/hooks.ts";
import { hlsAddress } from "../../player/playback-address.ts";
import { CopyField } from "../../ui/copy-field.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { spokenDuration } from "./event-sentence.ts";
import { LIVES } from "./life.ts";
import type { Span } from "./timeline-scale.ts";
import { momentText } from "./timeline-words.ts";

export type ClipMarks = { readonly inMs: number | null; readonly outMs: number | null };

export type ClipPanelProps = {
	readonly path: string;
	readonly playingAtMs: number | null;
	readonly marks: ClipMarks;
	readonly onMark: (marks: ClipMarks) => void;
	readonly onPlay: (clip: Span) => void;
};

/** The range that two marks choose; `null` while there is none. */
export function clipOf({ inMs, outMs }: ClipMarks): Span | null {
	return inMs === null || outMs === null || outMs <= inMs ? null : { startMs: inMs, endMs: outMs };
}

/** Chooses a range by its ends, plays it, and makes an address that others can play. */
export function ClipPanel({ path, playingAtMs, marks, onMark, onPlay }: ClipPanelProps) {
	const clip = clipOf(marks);
	const isWrong = marks.inMs !== null && marks.outMs !== null && clip === null;
	return (
		<Paper withBorder p="md" radius="md" component="section" aria-labelledby="clip">
			<Stack gap="sm">
				<Title order={2} size="h5" id="clip">
					Clip
				</Title>
				<Group gap="xs">
					<Button
						size="xs"
						variant="default"
						disabled={playingAtMs === null}
						onClick={() => onMark({ ...marks, inMs: playingAtMs })}
					>
						Begin here
					</Button>
					<Button
						size="xs"
						variant="default"
						disabled={playingAtMs === null}
						onClick={() => onMark({ ...marks, outMs: playingAtMs })}
					>
						End here
					</Button>
					<Button size="xs" variant="default" disabled={clip === null} onClick={() => clip && onPlay(clip)}>
						Play the clip
					</Button>
					<Button
						size="xs"
						variant="subtle"
						disabled={marks.inMs === null && marks.outMs === null}
						onClick={() => onMark({ inMs: null, outMs: null })}
					>
						Clear
					</Button>
				</Group>
				<Text size="sm" role="status">
					{isWrong ? "The end is before the beginning: choose another one." : rangeText(marks, clip)}
				</Text>
				{clip !== null && <ClipAddress key={`${clip.startMs} ${clip.endMs}`} path={path} clip={clip} />}
			</Stack>
		</Paper>
	);
}

function rangeText({ inMs, outMs }: ClipMarks, clip: Span | null): string {
	if (clip !== null) {
		const length = spokenDuration(clip.endMs - clip.startMs);
		return `${momentText(clip.startMs)} to ${momentText(clip.endMs)}, ${length}`;
	}
	if (inMs !== null) return `From ${momentText(inMs)}: now go to its end, and choose “End here”.`;
	if (outMs !== null) return `Until ${momentText(outMs)}: now go to its beginning, and choose “Begin here”.`;
	return "Go to a moment and choose “Begin here”; then go on, and choose “End here”.";
}

function ClipAddress({ path, clip }: { path: string; clip: Span }) {
	const mayShare = useCan("manage", path);
	const [life, setLife] = useState<string>("24h");
	const [address, setAddress] = useState<string | null>(null);
	const { run, isRunning, problem } = useChange(
		async (api, expiresIn: string) => {
			const { body } = await api.send<{ token: string; url?: string }>("POST", "/v1/tokens", {
				path,
				actions: ["read"],
				expiresIn,
				subject: "clip",
			});
			const origin = body.url === undefined ? location.origin : new URL(body.url).origin;
			return hlsAddress(origin, body.token, path, clip);
		},
		{ touches: [], quiet: true },
	);
	if (!mayShare) return <Text size="sm">An address to share takes a key that manages this path.</Text>;
	return (
		<Stack gap="sm">
			<Group align="flex-end" gap="sm">
				<Select
					label="The address is good for"
					size="xs"
					w={180}
					data={LIVES}
					value={life}
					allowDeselect={false}
					onChange={(value) => setLife(value ?? "24h")}
				/>
				<Button size="xs" loading={isRunning} onClick={() => void run(life).then(setAddress)}>
					Make an address
				</Button>
			</Group>
			<ProblemAlert problem={problem} />
			{address !== null && <CopyField label="Address of the clip (HLS)" value={address} />}
		</Stack>
	);
}
