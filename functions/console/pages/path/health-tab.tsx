import { Alert, Center, Code, List, Loader, Stack, Text, Title } from "@mantine/core";
import { Activity, TriangleAlert } from "lucide-react";
import { lazy, Suspense } from "react";
import { EmptyState } from "../../ui/empty-state.tsx";
import { formatBits } from "../../ui/format.ts";
import { KeyValue } from "../../ui/key-value.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { bitrateOf, type Stream, type StreamHealth } from "../live/stream.ts";
import type { Figure } from "./figure-history.ts";
import { protocolName } from "./protocol-name.ts";
import { RenditionTable } from "./rendition-table.tsx";
import { warningTitle } from "./warning-title.ts";

const BitrateChart = lazy(async () => ({ default: (await import("./bitrate-chart.tsx")).BitrateChart }));

/** Kept free before there is a chart, so that nothing moves when it comes. */
const CHART_HEIGHT_PX = 200;

/** What the node says of a stream, and what to do where it is not well. */
export function HealthTab({ stream, history }: { stream: Stream | undefined; history: readonly Figure[] }) {
	if (stream?.live !== true) {
		return (
			<EmptyState icon={Activity} title="The stream is not live">
				Its bitrate, key frames and warnings show here while somebody publishes. The tab Connect has the commands.
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
					<Center h={CHART_HEIGHT_PX}>
						<Text size="sm" c="dimmed">
							The chart begins in a few seconds, and grows while this page is open.
						</Text>
					</Center>
				) : (
					<Suspense
						fallback={
							<Center h={CHART_HEIGHT_PX}>
								<Loader aria-label="Loading the chart" />
							</Center>
						}
					>
						<BitrateChart history={history} height={CHART_HEIGHT_PX} />
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
				{renditions.length > 0 && <RenditionTable renditions={renditions} />}
			</Stack>
		</Stack>
	);
}

function Warnings({ health }: { health: StreamHealth | null }) {
	if (health === null) return <Text>The node has not reported on this stream for a while.</Text>;
	if (health.warnings.length === 0) return <Text>No warnings: the stream is healthy.</Text>;
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
		{ label: "Source", value: health === null ? "—" : protocolName(health.source.type) || "Waiting for the publisher" },
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
