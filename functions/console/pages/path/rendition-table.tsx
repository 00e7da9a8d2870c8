import { Code, Table } from "@mantine/core";
import { formatBits } from "../../ui/format.ts";
import { WideTable } from "../../ui/wide-table.tsx";
import { type StreamRendition, sizeText } from "../live/stream.ts";

/** What is offered in HLS. */
export function RenditionTable({ renditions }: { renditions: readonly StreamRendition[] }) {
	return (
		<WideTable label="Renditions in HLS" minWidth={560} heads={["In HLS", "Codec", "Format", "Average", "Peak"]}>
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
		</WideTable>
	);
}

function soundText({ channels, sampleRate }: StreamRendition): string {
	return [
		...(channels === undefined ? [] : [channels === 1 ? "mono" : channels === 2 ? "stereo" : `${channels} channels`]),
		...(sampleRate === undefined ? [] : [`${sampleRate / 1000} kHz`]),
	].join(" · ");
}
