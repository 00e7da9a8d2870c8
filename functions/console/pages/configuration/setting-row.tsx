import { Alert, Badge, Button, Group, Text, VisuallyHidden } from "@mantine/core";
import { memo, useState } from "react";
import { isSame } from "./draft.ts";
import { type FieldFault, faultText } from "./field-fault.ts";
import { valueText } from "./field-value.ts";
import type { Field } from "./path-field.ts";
import { masked } from "./secret.ts";
import classes from "./setting-row.module.css";
import { ValueInput } from "./value-input.tsx";

/** In the page, for links to a setting. */
export function settingId(key: string): string {
	return `setting-${key}`;
}

export type SettingRowProps = {
	readonly field: Field;
	/** `undefined`: the path does not say it. */
	readonly value: unknown;
	/** What it is when the path does not say it. */
	readonly inherited: unknown;
	readonly isChanged: boolean;
	readonly faults: readonly FieldFault[];
	/** Right by itself, but not with others. */
	readonly warnings: readonly FieldFault[];
	/** Why it cannot be changed; `null` when it can. */
	readonly locked: string | null;
	readonly onChange: (key: string, value: unknown) => void;
};

const NONE: readonly FieldFault[] = [];

/** One setting: its input, whether it is set here, and the way back to the default. */
export const SettingRow = memo(function SettingRow(props: SettingRowProps) {
	const { field, value, inherited, isChanged, faults, warnings, locked, onChange } = props;
	const [resets, setResets] = useState(0);
	const { key, label, description, kind } = field;
	const isSet = value !== undefined;
	const warning = faultText(warnings, [], true);
	const outside = kind.type === "list" || kind.type === "oneOrMore" ? null : faultText(besides(faults));
	return (
		<div className={classes["row"]} data-set={isSet || undefined}>
			<div className={classes["input"]}>
				<ValueInput
					key={resets}
					id={settingId(key)}
					name={key}
					kind={kind}
					value={isSet ? value : inherited}
					label={
						<>
							{label} <code className={classes["key"]}>{key}</code>
						</>
					}
					plainLabel={label}
					description={description}
					faults={faults}
					at={[]}
					isLong={field.isLong}
					readOnly={locked !== null}
					onChange={(next) => onChange(key, next)}
				/>
				{outside !== null && <Text className={classes["fault"]}>{outside}</Text>}
				{locked !== null && (
					<Text size="xs" mt={4} c="dimmed">
						{locked}
					</Text>
				)}
				{warning !== null && (
					<Alert color="yellow" variant="outline" p="xs" mt={6} role="status">
						{label}: {warning}
					</Alert>
				)}
			</div>
			<div className={classes["state"]}>
				<Group gap={6}>
					<Badge variant={isSet ? "light" : "default"} radius="sm" tt="none" fw={500}>
						{isSet ? "Set here" : "Default"}
					</Badge>
					{isChanged && (
						<Badge
							variant="outline"
							color="yellow"
							radius="sm"
							tt="none"
							fw={500}
							autoContrast
							className={classes["unsaved"]}
						>
							Not saved
						</Badge>
					)}
				</Group>
				{isSet && (
					<Text size="xs" c="dimmed" className={classes["default"]}>
						Default: {valueText(masked(key, inherited))}
					</Text>
				)}
				{isSet && (locked === null || isChanged) && (
					<Button
						variant="subtle"
						size="compact-xs"
						w="fit-content"
						onClick={() => {
							setResets(resets + 1);
							onChange(key, undefined);
						}}
					>
						{isSame(value, inherited) ? "Do not set it here" : "Use the default"}
						<VisuallyHidden> of {label}</VisuallyHidden>
					</Button>
				)}
			</div>
		</div>
	);
});

/** Faults of parts that have no input. */
function besides(faults: readonly FieldFault[]): readonly FieldFault[] {
	return faults.length === 0
		? NONE
		: faults
				.filter(({ at }) => at.length > 0)
				.map(({ at, message }) => ({ at: [], message: `${at.join(".")}: ${message}` }));
}
