import { Button, Checkbox, Table, Text } from "@mantine/core";
import type { ShownDelivery } from "../../../webhooks/shown-delivery.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { DeliveryState } from "./delivery-state.tsx";

export type DeliveryTableProps = {
	readonly deliveries: readonly ShownDelivery[];
	/** The URL of an endpoint by its id; the id again where it was deleted. */
	readonly urlOf: (id: string) => string;
	/** The names of those that are selected; `null`: nothing can be selected. */
	readonly selected: ReadonlySet<string> | null;
	onSelect(names: ReadonlySet<string>): void;
	onOpen(delivery: ShownDelivery): void;
};

/** Deliveries, one a row. */
export function DeliveryTable({ deliveries, urlOf, selected, onSelect, onOpen }: DeliveryTableProps) {
	const all = deliveries.map(({ name }) => name);
	const isAll = selected !== null && all.every((name) => selected.has(name));
	return (
		<Table.ScrollContainer minWidth={720} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
			<Table verticalSpacing="xs" aria-label="Deliveries">
				<Table.Thead>
					<Table.Tr>
						{selected !== null && (
							<Table.Th w={40}>
								<Checkbox
									aria-label="Select all"
									checked={isAll}
									indeterminate={selected.size > 0 && !isAll}
									onChange={() => onSelect(new Set(isAll ? [] : all))}
								/>
							</Table.Th>
						)}
						<Table.Th>Event</Table.Th>
						<Table.Th>Endpoint</Table.Th>
						<Table.Th>State</Table.Th>
						<Table.Th>Attempts</Table.Th>
						<Table.Th>Last outcome</Table.Th>
						<Table.Th>When</Table.Th>
					</Table.Tr>
				</Table.Thead>
				<Table.Tbody>
					{deliveries.map((delivery) => (
						<Table.Tr key={delivery.name}>
							{selected !== null && (
								<Table.Td>
									<Checkbox
										aria-label={`Select ${delivery.eventType} ${delivery.eventId}`}
										checked={selected.has(delivery.name)}
										onChange={() => onSelect(toggled(selected, delivery.name))}
									/>
								</Table.Td>
							)}
							<Table.Td>
								<Button size="compact-sm" variant="subtle" ff="monospace" onClick={() => onOpen(delivery)}>
									{delivery.eventType}
								</Button>
								{delivery.path !== null && (
									<Text size="xs" c="dimmed" ff="monospace" pl={8}>
										{delivery.path}
									</Text>
								)}
							</Table.Td>
							<Table.Td style={{ overflowWrap: "anywhere" }}>{urlOf(delivery.endpointId)}</Table.Td>
							<Table.Td>
								<DeliveryState delivery={delivery} />
							</Table.Td>
							<Table.Td>{delivery.attempts}</Table.Td>
							<Table.Td>{delivery.lastOutcome}</Table.Td>
							<Table.Td style={{ whiteSpace: "nowrap" }}>
								<RelativeTime at={delivery.nextAttemptAt ?? delivery.endedAt ?? ""} />
							</Table.Td>
						</Table.Tr>
					))}
				</Table.Tbody>
			</Table>
		</Table.ScrollContainer>
	);
}

function toggled(selected: ReadonlySet<string>, name: string): ReadonlySet<string> {
	const next = new Set(selected);
	if (!next.delete(name)) next.add(name);
	return next;
}
