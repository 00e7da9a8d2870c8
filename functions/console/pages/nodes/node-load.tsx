import { SimpleGrid, Text } from "@mantine/core";
import type { NodeDescription } from "../../../routes/nodes.ts";
import { formatBits } from "../../ui/format.ts";
import type { FleetLoad } from "./fleet.ts";
import { Meter } from "./meter.tsx";

/** From here on a node has little time left. */
const HIGH_CPU = 0.85;

/** How much a node carries: the processor of its own, the rest as its part of what all nodes carry, where there are several. */
export function NodeLoad({ load, fleet }: { load: NodeDescription["load"]; fleet: FleetLoad }) {
	if (load === null) {
		return (
			<Text size="sm" c="dimmed">
				Nothing was heard of this node yet.
			</Text>
		);
	}
	const part = (own: number, all: number) => (fleet.nodes < 2 ? null : all === 0 ? 0 : own / all);
	const figures = [
		{ label: "Streams", share: part(load.streams, fleet.streams), text: String(load.streams) },
		{ label: "Readers", share: part(load.readers, fleet.readers), text: String(load.readers) },
		{
			label: "In",
			share: part(load.bytesInPerSecond, fleet.bytesInPerSecond),
			text: formatBits(load.bytesInPerSecond * 8),
		},
		{
			label: "Out",
			share: part(load.bytesOutPerSecond, fleet.bytesOutPerSecond),
			text: formatBits(load.bytesOutPerSecond * 8),
		},
	];
	return (
		<SimpleGrid cols={{ base: 2, xs: 3, lg: 5 }} spacing="md" verticalSpacing="xs">
			<Meter
				label="CPU"
				share={load.cpu}
				text={`${Math.round(load.cpu * 100)} %`}
				of="of this machine"
				high={HIGH_CPU}
			/>
			{figures.map((figure) => (
				<Meter key={figure.label} {...figure} of="of all nodes" />
			))}
		</SimpleGrid>
	);
}
