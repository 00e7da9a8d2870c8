import { Button, Group, Input, Paper, Stack, Text, VisuallyHidden } from "@mantine/core";
import { Plus } from "lucide-react";
import { useState } from "react";
import { faultText } from "./field-fault.ts";
import type { FieldKind } from "./field-kind.ts";
import { asItems, emptyValue, fromItems } from "./field-value.ts";
import { ListControls } from "./list-controls.tsx";
import type { RenderInput, ValueInputProps } from "./value-input-props.ts";

type ListInputProps = ValueInputProps & {
	readonly kind: FieldKind & { type: "list" | "oneOrMore" };
	readonly render: RenderInput;
};

/** Values one below the other: added, taken out, and moved, since the order often counts. */
export function ListInput(props: ListInputProps) {
	const { id, name, kind, value, label, plainLabel, description, faults, at, readOnly, onChange, render } = props;
	const items = kind.type === "oneOrMore" ? asItems(value) : Array.isArray(value) ? value : [];
	const [keys, setKeys] = useState<readonly string[]>(() => items.map((_, index) => `first-${index}`));
	const [added, setAdded] = useState(0);
	const error = faultText(faults, at);
	const least = kind.type === "oneOrMore" ? 1 : kind.min;
	const isFixed = least === kind.max;
	const isObject = kind.item.type === "object";

	// An item keeps its key, and so the focus, when those around it come and go.
	const keyOf = (index: number) => keys[index] ?? `more-${index}`;
	function change(next: readonly unknown[], nextKeys: readonly string[]) {
		setKeys(nextKeys);
		onChange(kind.type === "oneOrMore" ? fromItems(next) : next);
	}

	function inputOf(item: unknown, index: number, itemLabel: string) {
		const isAlone = items.length === 1 && !isFixed;
		return render({
			key: keyOf(index),
			id: `${id}.${index}`,
			name,
			kind: kind.item,
			value: item,
			label: isObject || isAlone ? null : itemLabel,
			plainLabel: itemLabel,
			faults,
			at: [...at, String(index)],
			readOnly,
			onChange: (next) =>
				change(
					items.with(index, next),
					items.map((_, other) => keyOf(other)),
				),
		});
	}

	return (
		<fieldset style={{ border: 0, margin: 0, padding: 0, minWidth: 0 }} disabled={readOnly}>
			<Input.Label component="legend" px={0}>
				{label}
			</Input.Label>
			{description !== undefined && <Input.Description mb="xs">{description}</Input.Description>}
			<Stack gap="xs" id={id} tabIndex={-1}>
				{items.map((item, index) => {
					const itemLabel =
						isFixed && items.length === 2
							? `${plainLabel}, ${index === 0 ? "first" : "second"}`
							: `${plainLabel} ${index + 1}`;
					const controls = !isFixed && !readOnly && (
						<ListControls
							label={itemLabel}
							index={index}
							length={items.length}
							least={least}
							onOrder={(order) =>
								change(
									order.map((from) => items[from]),
									order.map(keyOf),
								)
							}
						/>
					);
					if (isObject) {
						return (
							<Paper key={keyOf(index)} withBorder p="sm" role="group" aria-label={itemLabel}>
								<Group justify="space-between" mb={4} mih={34}>
									<Text fw={600}>{index + 1}</Text>
									{controls}
								</Group>
								{inputOf(item, index, itemLabel)}
							</Paper>
						);
					}
					return (
						<Group key={keyOf(index)} gap="xs" wrap="nowrap" align="flex-end">
							<div style={{ flex: 1, minWidth: 0 }}>{inputOf(item, index, itemLabel)}</div>
							{controls}
						</Group>
					);
				})}
				{!isFixed && items.length < kind.max && !readOnly && (
					<Button
						variant="default"
						size="xs"
						w="fit-content"
						leftSection={<Plus size={14} aria-hidden />}
						onClick={() => {
							setAdded(added + 1);
							change([...items, emptyValue(kind.item)], [...items.map((_, index) => keyOf(index)), `added-${added}`]);
						}}
					>
						{kind.type === "oneOrMore" ? "Add another" : "Add one"}
						<VisuallyHidden> to {plainLabel}</VisuallyHidden>
					</Button>
				)}
			</Stack>
			{error !== null && <Input.Error mt={4}>{error}</Input.Error>}
		</fieldset>
	);
}
