import { Button, Loader, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Plus } from "lucide-react";
import type { NodeDescription } from "../../../routes/nodes.ts";
import { useResource } from "../../api/hooks.ts";
import { formatBits } from "../../ui/format.ts";
import { PageHeader } from "../../ui/page-header.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { RoleGate } from "../../ui/role-gate.tsx";
import { AddNode } from "./add-node.tsx";
import { byRegion, counted, fleetLoad, statesInWords } from "./fleet.ts";
import { NoNodes } from "./no-nodes.tsx";
import { NodeCard } from "./node-card.tsx";
import { NodeMap } from "./node-map.tsx";

const POLL_MS = 5_000;

/** Every media node, by region. */
export function NodesPage() {
	const [isAdding, { open, close }] = useDisclosure(false);
	return (
		<RoleGate needs="api" title="Nodes">
			<PageHeader title="Nodes">
				<Button leftSection={<Plus size={16} aria-hidden />} onClick={open}>
					Add a node
				</Button>
			</PageHeader>
			<Nodes onAdd={open} />
			<AddNode opened={isAdding} onClose={close} />
		</RoleGate>
	);
}

type LiveStreams = { readonly items: readonly { readonly path: string; readonly node: string | null }[] };

function Nodes({ onAdd }: { onAdd: () => void }) {
	const { data, problem, isLoading } = useResource<{ items: NodeDescription[] }>("/v1/nodes", { pollMs: POLL_MS });
	const streams = useResource<LiveStreams>("/v1/streams?live=true", { pollMs: POLL_MS });
	if (isLoading) return <Loader aria-label="Loading the nodes" />;
	const nodes = data?.items ?? [];
	const fleet = fleetLoad(nodes);
	const groups = byRegion(nodes);
	const pathsOf = (id: string) => streams.data?.items.filter(({ node }) => node === id).map(({ path }) => path) ?? null;
	return (
		<Stack gap="lg">
			<ProblemAlert problem={problem} />
			{data !== undefined && nodes.length === 0 && <NoNodes onAdd={onAdd} />}
			{nodes.length > 0 && (
				<Text aria-live="polite">
					{statesInWords(nodes)}: {counted(fleet.streams, "stream")} and {counted(fleet.readers, "reader")},{" "}
					{formatBits(fleet.bytesInPerSecond * 8)} in and {formatBits(fleet.bytesOutPerSecond * 8)} out.
				</Text>
			)}
			<NodeMap groups={groups} />
			{groups.map(({ region, nodes: members }) => (
				<Stack key={region} gap="sm" component="section" aria-label={region || "No region"}>
					<Title order={2} size="h4">
						{region || "No region"}
					</Title>
					{members.map((node) => (
						<NodeCard key={node.id} node={node} fleet={fleet} paths={pathsOf(node.id)} />
					))}
				</Stack>
			))}
		</Stack>
	);
}
