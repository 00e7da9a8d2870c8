import { Code, Stack, Text } from "@mantine/core";
import type { AuditEntry } from "../../../audit/audit-log.ts";
import { KeyValue } from "../../ui/key-value.tsx";

/** All that the log has of one change. */
export function EntryDetail({ entry }: { entry: AuditEntry }) {
	const { id, at, by, target, before, after, objects, detail } = entry;
	return (
		<Stack gap="sm">
			<KeyValue
				items={[
					{ label: "Time", value: new Date(at).toLocaleString() },
					{ label: "What", value: <code>{target}</code> },
					{ label: by.kind === "key" ? "Key" : "Token", value: <code>{by.id}</code> },
					{ label: "Etag before", value: before === null ? "there was nothing" : <code>{before}</code> },
					{ label: "Etag after", value: after === null ? "there is nothing" : <code>{after}</code> },
					{ label: "Entry", value: <code>{id}</code> },
				]}
			/>
			{Object.keys(detail).length > 0 && (
				<Code block tabIndex={0} role="region" aria-label="Detail">
					{JSON.stringify(detail, null, 2)}
				</Code>
			)}
			{objects.length > 0 && (
				<div>
					<Text size="sm" c="dimmed">
						Written to the bucket
					</Text>
					{objects.map(({ key }) => (
						<Code key={key} block>
							{key}
						</Code>
					))}
				</div>
			)}
		</Stack>
	);
}
