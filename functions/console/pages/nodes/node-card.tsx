import { Alert, Anchor, Group, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { Link } from "wouter";
import type { NodeDescription } from "../../../routes/nodes.ts";
import { KeyValue, type KeyValueItem } from "../../ui/key-value.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import type { FleetLoad } from "./fleet.ts";
import { NodeActions } from "./node-actions.tsx";
import { nodeAddresses } from "./node-address.ts";
import { NodeLoad } from "./node-load.tsx";

const LOOKS = { active: "good", draining: "warning", down: "bad" } as const;
const STATE_NAMES = { active: "Active", draining: "Draining", down: "Down" } as const;
const MAX_SHOWN = 12;

export type NodeCardProps = {
	readonly node: NodeDescription;
	readonly fleet: FleetLoad;
	/** The paths that it has now; `null`: not known. */
	readonly paths: readonly string[] | null;
};

/** One node: how it fares, where it listens and what it has. */
export function NodeCard({ node, fleet, paths }: NodeCardProps) {
	const addresses = nodeAddresses(node, window.location.hostname);
	return (
		<Paper withBorder p="md" component="article" aria-label={`Node ${node.id}`}>
			<Stack gap="md">
				<Group justify="space-between" gap="xs">
					<Group gap="sm">
						<Title order={3} size="h5" ff="monospace" style={{ overflowWrap: "anywhere" }}>
							{node.id}
						</Title>
						<StateBadge state={LOOKS[node.state]}>{STATE_NAMES[node.state]}</StateBadge>
					</Group>
					<NodeActions node={node} />
				</Group>
				{node.fault !== null && (
					<Alert
						color="red"
						variant="outline"
						icon={<TriangleAlert aria-hidden />}
						title="Its heartbeat is not believed"
					>
						{node.fault}
					</Alert>
				)}
				{node.state !== "down" && <NodeLoad load={node.load} fleet={fleet} />}
				<SimpleGrid cols={{ base: 1, md: 2 }} spacing="md" verticalSpacing="xs" style={{ alignItems: "start" }}>
					<KeyValue items={factsOf(node)} />
					<KeyValue
						items={addresses.map(({ protocol, address }) => ({
							label: protocol,
							value: (
								<Text span ff="monospace" size="sm">
									{address}
								</Text>
							),
						}))}
					/>
				</SimpleGrid>
				{paths !== null && node.state !== "down" && <NodePaths paths={paths} />}
			</Stack>
		</Paper>
	);
}

function factsOf({ version, state, startedAt, seenAt, joinedAt }: NodeDescription): readonly KeyValueItem[] {
	return [
		{ label: "Version", value: version ?? "not known" },
		{ label: "Started", value: startedAt === null || state === "down" ? "not up" : <RelativeTime at={startedAt} /> },
		{ label: "Last heartbeat", value: seenAt === null ? "never" : <RelativeTime at={seenAt} /> },
		{ label: "Joined", value: <RelativeTime at={joinedAt} /> },
	];
}

function NodePaths({ paths }: { paths: readonly string[] }) {
	if (paths.length === 0) {
		return (
			<Text size="sm" c="dimmed">
				No stream is live on it.
			</Text>
		);
	}
	const more = paths.length - MAX_SHOWN;
	return (
		<Group gap="sm">
			<Text size="sm" c="dimmed">
				Live here:
			</Text>
			{paths.slice(0, MAX_SHOWN).map((path) => (
				<Anchor key={path} component={Link} href={`/paths/${path}`} ff="monospace" size="sm" underline="always">
					{path}
				</Anchor>
			))}
			{more > 0 && (
				<Text size="sm" c="dimmed">
					and {more} more
				</Text>
			)}
		</Group>
	);
}
