import { Anchor, Table, UnstyledButton } from "@mantine/core";
import { ArrowDown, ArrowUp, ArrowUpDown } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { formatBytes, formatMoney } from "../../ui/format.ts";
import {
	COLUMNS,
	type Column,
	formatCount,
	formatHours,
	SHARED_NAME,
	type Sort,
	sortRows,
	type UsageRow,
} from "./usage-rows.ts";

/** Usage by path; every column sorts. */
export function UsageTable({ rows, currency }: { rows: readonly UsageRow[]; currency: string }) {
	const [sort, setSort] = useState<Sort>({ column: "cost", isDescending: true });
	return (
		<Table.ScrollContainer minWidth={860} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
			<Table verticalSpacing="xs" aria-label="Usage by path" style={{ fontVariantNumeric: "tabular-nums" }}>
				<Table.Thead>
					<Table.Tr>
						<SortHead name="path" label="Path" sort={sort} onSort={setSort} />
						{COLUMNS.map(({ name, label }) => (
							<SortHead key={name} name={name} label={label} sort={sort} onSort={setSort} />
						))}
					</Table.Tr>
				</Table.Thead>
				<Table.Tbody>
					{sortRows(rows, sort).map((row) => (
						<Table.Tr key={row.path}>
							<Table.Th scope="row" fw={400}>
								{row.path === SHARED_NAME ? (
									"Shared: heartbeats, settings"
								) : (
									<Anchor component={Link} href={`/paths/${row.path}`} ff="monospace" size="sm" underline="always">
										{row.path}
									</Anchor>
								)}
							</Table.Th>
							{COLUMNS.map((column) => (
								<Table.Td key={column.name} ta="right" style={{ whiteSpace: "nowrap" }}>
									{formatted(column, row, currency)}
								</Table.Td>
							))}
						</Table.Tr>
					))}
				</Table.Tbody>
			</Table>
		</Table.ScrollContainer>
	);
}

type SortHeadProps = { name: string; label: string; sort: Sort; onSort: (sort: Sort) => void };

function SortHead({ name, label, sort, onSort }: SortHeadProps) {
	const isHere = sort.column === name;
	const Icon = isHere ? (sort.isDescending ? ArrowDown : ArrowUp) : ArrowUpDown;
	// Numbers begin with the greatest, names with the first.
	const isDescending = isHere ? !sort.isDescending : name !== "path";
	return (
		<Table.Th
			ta={name === "path" ? "left" : "right"}
			aria-sort={isHere ? (sort.isDescending ? "descending" : "ascending") : "none"}
		>
			<UnstyledButton
				onClick={() => onSort({ column: name, isDescending })}
				fz="sm"
				fw={600}
				style={{ whiteSpace: "nowrap" }}
			>
				{label} <Icon size={12} aria-hidden opacity={isHere ? 1 : 0.4} />
			</UnstyledButton>
		</Table.Th>
	);
}

function formatted({ kind, value }: Column, row: UsageRow, currency: string): string {
	const amount = value(row);
	switch (kind) {
		case "count":
			return formatCount(amount);
		case "bytes":
			return formatBytes(amount);
		case "hours":
			return formatHours(amount);
		case "money":
			return formatMoney(amount, currency);
	}
}
