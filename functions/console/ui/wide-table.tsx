import { Table } from "@mantine/core";
import type { ReactNode } from "react";

export type WideTableProps = {
	/** For screen readers. */
	readonly label: string;
	/** Pixels; in a narrower window it scrolls sideways, and nothing else does. */
	readonly minWidth: number;
	readonly heads: readonly string[];
	/** The last column has what can be done with a row, at the right. */
	readonly hasActions?: boolean;
	readonly children: ReactNode;
};

/** A table that may be wider than the window. Its children are rows. */
export function WideTable({ label, minWidth, heads, hasActions = false, children }: WideTableProps) {
	return (
		<Table.ScrollContainer minWidth={minWidth} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
			<Table verticalSpacing="xs" aria-label={label}>
				<Table.Thead>
					<Table.Tr>
						{heads.map((title) => (
							<Table.Th key={title}>{title}</Table.Th>
						))}
						{hasActions && <Table.Th ta="right">Actions</Table.Th>}
					</Table.Tr>
				</Table.Thead>
				<Table.Tbody>{children}</Table.Tbody>
			</Table>
		</Table.ScrollContainer>
	);
}
