import { Group, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import type { Webhook } from "../../../routes/webhooks.ts";
import type { DeliveryFilter } from "./deliveries-address.ts";

const STATES = [
	{ value: "dead", label: "Given up" },
	{ value: "pending", label: "Waiting" },
	{ value: "done", label: "Came through" },
];

export type DeliveryFiltersProps = {
	readonly filter: DeliveryFilter;
	readonly endpoints: readonly Webhook[];
	onChange(filter: DeliveryFilter): void;
};

/** Which deliveries are shown. */
export function DeliveryFilters({ filter, endpoints, onChange }: DeliveryFiltersProps) {
	return (
		<Group gap="sm" align="end">
			<SegmentedControl
				aria-label="State"
				data={STATES}
				value={filter.state}
				onChange={(state) => onChange({ ...filter, state: state as DeliveryFilter["state"] })}
			/>
			<NativeSelect
				label="Endpoint"
				data={[{ value: "", label: "All" }, ...endpoints.map(({ id, url }) => ({ value: id, label: url }))]}
				value={filter.endpoint ?? ""}
				onChange={({ currentTarget: { value } }) => onChange({ ...filter, endpoint: value === "" ? null : value })}
				maw={320}
			/>
			<TextInput
				label="Path"
				placeholder="All"
				defaultValue={filter.path}
				onBlur={({ currentTarget }) => onChange({ ...filter, path: currentTarget.value.trim() })}
				onKeyDown={({ key, currentTarget }) =>
					key === "Enter" && onChange({ ...filter, path: currentTarget.value.trim() })
				}
				spellCheck={false}
			/>
		</Group>
	);
}
