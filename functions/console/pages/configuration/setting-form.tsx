import { Accordion, Button, CloseButton, Group, Switch, Text, TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import { useState } from "react";
import type { Overrides } from "./draft.ts";
import type { Faults } from "./field-fault.ts";
import { GROUPS } from "./field-group.ts";
import { inheritedValue, type LoadedPath } from "./loaded-path.ts";
import { type Field, fieldsShown, PATH_FIELDS } from "./path-field.ts";
import { SettingGroup } from "./setting-group.tsx";
import { SettingRow } from "./setting-row.tsx";

export type SettingFormProps = {
	readonly base: LoadedPath;
	readonly draft: Overrides;
	readonly changedKeys: ReadonlySet<string>;
	readonly faults: Faults;
	readonly warnings: Faults;
	readonly mayCommand: boolean;
	readonly open: readonly string[];
	readonly onOpen: (groups: readonly string[]) => void;
	readonly onChange: (key: string, value: unknown) => void;
};

const LOCKED = "Nodes run this command as their own user: only an administrator may set or change it.";
const NONE = [] as const;

/** All settings of a path, under headings; those that are searched for, or set, alone. */
export function SettingForm(props: SettingFormProps) {
	const { base, draft, changedKeys, faults, warnings, mayCommand, open, onOpen, onChange } = props;
	const [query, setQuery] = useState("");
	const [isOnlySet, setOnlySet] = useState(false);
	// What was just given back to the defaults stays in sight until it is saved.
	const setKeys = new Set([...Object.keys(draft), ...changedKeys, ...faults.keys(), ...warnings.keys()]);
	const shown = fieldsShown(PATH_FIELDS, query, isOnlySet ? setKeys : null);
	const isNarrowed = query.trim() !== "" || isOnlySet;
	const groups = GROUPS.map((group) => ({ group, fields: shown.filter((field) => field.group === group.id) })).filter(
		({ fields }) => fields.length > 0,
	);
	const opened = isNarrowed ? groups.map(({ group }) => group.id) : open;

	const row = (field: Field) => (
		<SettingRow
			key={field.key}
			field={field}
			value={draft[field.key]}
			inherited={inheritedValue(base, field.key)}
			isChanged={changedKeys.has(field.key)}
			faults={faults.get(field.key) ?? NONE}
			warnings={warnings.get(field.key) ?? NONE}
			locked={field.isCommand && !mayCommand ? LOCKED : null}
			onChange={onChange}
		/>
	);

	return (
		<div>
			<Group gap="md" mb="sm">
				<TextInput
					flex="1 1 16rem"
					aria-label="Search the settings"
					placeholder="Search names and descriptions"
					value={query}
					onChange={(event) => setQuery(event.currentTarget.value)}
					leftSection={<Search size={16} aria-hidden />}
					rightSection={
						query !== "" && <CloseButton size="sm" aria-label="Clear the search" onClick={() => setQuery("")} />
					}
				/>
				<Switch
					label="Only what is set"
					checked={isOnlySet}
					onChange={(event) => setOnlySet(event.currentTarget.checked)}
				/>
			</Group>
			<Text size="sm" c="dimmed" role="status" mb={isNarrowed ? "xs" : 0}>
				{isNarrowed && (shown.length === 1 ? "1 setting" : `${shown.length} settings`)}
			</Text>
			{shown.length === 0 && (
				<Button
					variant="default"
					size="xs"
					onClick={() => {
						setQuery("");
						setOnlySet(false);
					}}
				>
					Show all settings
				</Button>
			)}
			<Accordion
				multiple
				variant="separated"
				order={2}
				value={[...opened]}
				onChange={(next) => !isNarrowed && onOpen(next)}
			>
				{groups.map(({ group, fields }) => (
					<SettingGroup
						key={group.id}
						group={group}
						isOpen={opened.includes(group.id)}
						set={fields.filter(({ key }) => key in draft).length}
						faulty={fields.filter(({ key }) => faults.has(key)).length}
						warned={fields.filter(({ key }) => warnings.has(key)).length}
					>
						{() => fields.map(row)}
					</SettingGroup>
				))}
			</Accordion>
		</div>
	);
}
