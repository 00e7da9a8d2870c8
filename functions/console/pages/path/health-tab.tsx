import { Alert, Code, List, Loader, Stack, Table, Text, Title } from "@mantine/core";
import { Activity, TriangleAlert } from "lucide-react";
import { lazy, Suspense } from "react";
import { EmptyState } from "../../ui/empty-state.tsx";
import { formatBits } from "../../ui/format.ts";
import { KeyValue } from "../../ui/key-value.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { bitrateOf, type Stream, type StreamHealth, type StreamRendition, sizeText } from "../live/stream.ts";
import type { Figure } from "./figure-history.ts";
import { warningTitle } from "./warning-title.ts";

const BitrateChart = lazy(async () => ({ default: (await import("./bitrate-chart.tsx")).BitrateChart }));

/** What the node says of a stream, and what to do where it is not well. */
export function HealthTab({ stream, history }: { stream: Stream | undefined; history: readonly Figure[] }) {
	if (stream?.live !== true) {
		return (
			<EmptyState icon={Activity} title="The stream is not live">
				How it fares shows here while somebody publishes to it. The tab Connect has the commands.
			</EmptyState>
		);
	}
	const { health, renditions } = stream;
	return (
		<Stack gap="lg">
			<Warnings health={health} />
			<KeyValue items={factsOf(stream)} />
			<Stack gap="xs" component="section">
				<Title order={2} size="h5">
					Bitrate
				</Title>
				{history.length < 2 ? (
					<Text size="sm" c="dimmed">
						Drawn from what is asked for while this page is open: it begins in some seconds.
					</Text>
				) : (
					<Suspense fallback={<Loader aria-label="Loading the chart" />}>
						<BitrateChart history={history} />
					</Suspense>
				)}
			</Stack>
			<Stack gap="xs" component="section">
				<Title order={2} size="h5">
					Tracks
				</Title>
				{health !== null && (
					<List size="sm">
						{health.tracks.map(({ kind, codec }, index) => (
							// biome-ignore lint/suspicious/noArrayIndexKey: tracks have no other name, and stay in their order.
							<List.Item key={index}>
								{codec} ({kind})
							</List.Item>
						))}
					</List>
				)}
				{renditions.length > 0 && <Renditions renditions={renditions} />}
			</Stack>
		</Stack>
	);
}

function Warnings({ health }: { health: StreamHealth | null }) {
	if (health === null) return <Text>Its node has not said for a while how the stream fares.</Text>;
	if (health.warnings.length === 0) return <Text>No warnings: the stream is well.</Text>;
	return (
		<Stack gap="sm">
			{health.warnings.map(({ code, message, since }) => (
				<Alert
					key={code}
					color="yellow"
					variant="outline"
					icon={<TriangleAlert aria-hidden />}
					title={warningTitle(code)}
					styles={{ title: { color: "var(--mantine-color-text)" } }}
				>
					<Text size="sm">{message}</Text>
					<Text size="xs" mt={4}>
						Since <RelativeTime at={since} />
					</Text>
				</Alert>
			))}
		</Stack>
	);
}

function factsOf(stream: Stream) {
	const { health, node, targetDuration } = stream;
	return [
		{ label: "Bitrate", value: formatBits(bitrateOf(stream)) },
		{ label: "Node", value: <Code>{node ?? "—"}</Code> },
		{ label: "Source", value: health === null ? "—" : health.source.type || "Waiting for the publisher" },
		{ label: "Key frames", value: health === null ? "—" : keyFrameText(health.keyFrameIntervalMs) },
		{ label: "Upload lag", value: health === null ? "—" : `${Math.round(health.uploadLagMs)} ms` },
		{ label: "Packets lost", value: percentText(health?.packetLoss ?? null) },
		{ label: "Longest segment", value: targetDuration === null ? "—" : `${targetDuration} s` },
	];
}

function percentText(part: number | null): string {
	return part === null ? "—" : `${(part * 100).toFixed(1)} %`;
}

function keyFrameText(intervalMs: number | null): string {
	return intervalMs === null ? "—" : `every ${(intervalMs / 1000).toFixed(1)} s`;
}

function Renditions({ renditions }: { renditions: readonly StreamRendition[] }) {
	return (
		<Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
			<Table>
				<Table.Thead>
					<Table.Tr>
						<Table.Th>In HLS</Table.Th>
						<Table.Th>Codec</Table.Th>
						<Table.Th>Format</Table.Th>
						<Table.Th>Average</Table.Th>
						<Table.Th>Peak</Table.Th>
					</Table.Tr>
				</Table.Thead>
				<Table.Tbody>
					{renditions.map((rendition) => (
						<Table.Tr key={rendition.id}>
							<Table.Td>
								<Code>{rendition.id}</Code> {rendition.kind}
							</Table.Td>
							<Table.Td>
								<Code>{rendition.codecs}</Code>
							</Table.Td>
							<Table.Td>{rendition.kind === "video" ? sizeText(rendition) : soundText(rendition)}</Table.Td>
							<Table.Td>{formatBits(rendition.averageBandwidth)}</Table.Td>
							<Table.Td>{formatBits(rendition.bandwidth)}</Table.Td>
						</Table.Tr>
					))}
				</Table.Tbody>
			</Table>
		</Table.ScrollContainer>
	);
}

function soundText({ channels, sampleRate }: StreamRendition): string {
	return [
		...(channels === undefined ? [] : [channels === 1 ? "mono" : channels === 2 ? "stereo" : `${channels} channels`]),
		...(sampleRate === undefined ? [] : [`${sampleRate / 1000} kHz`]),
	].join(" · ");
}
