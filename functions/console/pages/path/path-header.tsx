import { Code, Group, Text } from "@mantine/core";
import { PageHeader } from "../../ui/page-header.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { isWaiting, type Stream } from "../live/stream.ts";
import { warningTitle } from "./warning-title.ts";

export type PathHeaderProps = {
	readonly path: string;
	/** `undefined` until it is known. */
	readonly stream: Stream | undefined;
	/** Nobody has published to it yet. */
	readonly isNew: boolean;
};

/** The name of a path, whether it is live, where and since when, and what is wrong with it. */
export function PathHeader({ path, stream, isNew }: PathHeaderProps) {
	const warnings = stream?.live === true ? (stream.health?.warnings ?? []) : [];
	const waits = stream !== undefined && isWaiting(stream);
	return (
		<>
			<PageHeader title={path}>
				<span role="status">
					{stream?.live === true && <StateBadge state="good">Live</StateBadge>}
					{stream?.live === false && <StateBadge state="idle">Not live</StateBadge>}
					{isNew && <StateBadge state="idle">Never live yet</StateBadge>}
				</span>
			</PageHeader>
			{stream !== undefined && (
				<Text size="sm" c="dimmed" mt="calc(-1 * var(--mantine-spacing-sm))" mb="sm" component="div">
					<Where stream={stream} />
				</Text>
			)}
			{(waits || warnings.length > 0) && (
				<Group gap={6} mb="sm">
					{waits && <StateBadge state="warning">Waiting for its publisher</StateBadge>}
					{warnings.map(({ code }) => (
						<StateBadge key={code} state="warning">
							{warningTitle(code)}
						</StateBadge>
					))}
				</Group>
			)}
		</>
	);
}

function Where({ stream: { committedAt, health, live, node } }: { stream: Stream }) {
	if (!live) {
		if (committedAt === null) return null;
		return (
			<>
				Last picture or sound <RelativeTime at={committedAt} />
			</>
		);
	}
	return (
		<>
			{health !== null && (
				<>
					Began <RelativeTime at={health.since} />{" "}
				</>
			)}
			on <Code>{node}</Code>
			{health !== null && ` · ${health.viewers.total} ${health.viewers.total === 1 ? "viewer" : "viewers"}`}
		</>
	);
}
