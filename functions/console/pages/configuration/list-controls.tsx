import { ActionIcon, Group, Tooltip } from "@mantine/core";
import { ArrowDown, ArrowUp, type LucideIcon, Trash2 } from "lucide-react";
import { inOrder, swapped, without } from "./list-order.ts";

/** The buttons of one item of a list: to move it, and to take it out. */
export function ListControls(props: {
	label: string;
	index: number;
	length: number;
	least: number;
	onOrder: (order: readonly number[]) => void;
}) {
	const { label, index, length, least, onOrder } = props;
	const order = inOrder(length);
	return (
		<Group gap={2} wrap="nowrap">
			{index > 0 && (
				<Control label={`Move ${label} up`} icon={ArrowUp} onClick={() => onOrder(swapped(order, index - 1))} />
			)}
			{index < length - 1 && (
				<Control label={`Move ${label} down`} icon={ArrowDown} onClick={() => onOrder(swapped(order, index))} />
			)}
			{length > least && (
				<Control label={`Take ${label} out`} icon={Trash2} onClick={() => onOrder(without(order, index))} />
			)}
		</Group>
	);
}

function Control({ label, icon: Icon, onClick }: { label: string; icon: LucideIcon; onClick: () => void }) {
	return (
		<Tooltip label={label} withinPortal={false}>
			<ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={onClick}>
				<Icon size={16} />
			</ActionIcon>
		</Tooltip>
	);
}
