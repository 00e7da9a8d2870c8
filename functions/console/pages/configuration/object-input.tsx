import { Stack } from "@mantine/core";
import { withSetting } from "./draft.ts";
import type { Member } from "./field-kind.ts";
import { labelOf } from "./field-label.ts";
import type { RenderInput, ValueInputProps } from "./value-input-props.ts";

/** The members of an object, each with an input of its own. */
export function ObjectInput(
	props: ValueInputProps & { readonly members: readonly Member[]; readonly render: RenderInput },
) {
	const { id, value, members, plainLabel, faults, at, readOnly, onChange, render } = props;
	const object = typeof value === "object" && value !== null ? { ...value } : {};
	const values = new Map<string, unknown>(Object.entries(object));
	return (
		<Stack gap="xs">
			{members.map(({ key, kind, fallback }) =>
				render({
					key,
					id: `${id}.${key}`,
					name: key,
					kind,
					label: labelOf(key),
					plainLabel: `${plainLabel}, ${labelOf(key)}`,
					value: values.has(key) ? values.get(key) : fallback,
					faults,
					at: [...at, key],
					readOnly,
					onChange: (next) => onChange(withSetting(object, key, next)),
				}),
			)}
		</Stack>
	);
}
