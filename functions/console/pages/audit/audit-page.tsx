import { Group, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { PageHeader } from "../../ui/page-header.tsx";
import { RoleGate } from "../../ui/role-gate.tsx";
import { AuditList } from "./audit-list.tsx";

/** Who changed what, when, and from where. */
export function AuditPage() {
	const [days, setDays] = useState({ from: "", to: "" });
	const fault = days.from !== "" && days.to !== "" && days.from > days.to ? "This is after the last day" : null;
	return (
		<RoleGate needs="api" title="Audit log">
			<PageHeader title="Audit log" />
			<Group gap="sm" align="start" mb="md">
				<TextInput
					type="date"
					label="First day (UTC)"
					value={days.from}
					onChange={({ currentTarget: { value } }) => setDays((before) => ({ ...before, from: value }))}
					error={fault}
				/>
				<TextInput
					type="date"
					label="Last day (UTC)"
					value={days.to}
					onChange={({ currentTarget: { value } }) => setDays((before) => ({ ...before, to: value }))}
				/>
			</Group>
			{fault === null ? <AuditList days={days} /> : <Text>Choose a first day that is not after the last one.</Text>}
		</RoleGate>
	);
}
