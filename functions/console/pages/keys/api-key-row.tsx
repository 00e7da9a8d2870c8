import { Button, Code, Group, Stack, Table, Text } from "@mantine/core";
import type { ApiKeyPatch, ShownApiKey } from "../../../routes/keys.ts";
import { segment } from "../../api/client.ts";
import { useChange, useMe } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";

/** One key: whose, for what, and the ways to end it. */
export function ApiKeyRow({ apiKey }: { apiKey: ShownApiKey }) {
	const { id, name, role, paths, disabled, createdAt, expiresAt, lastUsedAt, etag } = apiKey;
	const isMine = useMe().id === id;
	const address = `/v1/keys/${segment(id)}`;
	const patch = useChange((api, body: ApiKeyPatch) => api.send("PATCH", address, body, { "if-match": `"${etag}"` }), {
		touches: ["/v1/keys"],
	});
	const remove = useChange((api) => api.send("DELETE", address), {
		touches: ["/v1/keys"],
		done: `The key “${name}” is deleted`,
	});
	return (
		<Table.Tr>
			<Table.Td>
				<Text size="sm" fw={500}>
					{name}
				</Text>
				{isMine && (
					<Text size="xs" c="dimmed">
						You are signed in with it
					</Text>
				)}
			</Table.Td>
			<Table.Td>{role}</Table.Td>
			<Table.Td>
				{paths.length === 0 ? (
					"All"
				) : (
					<Stack gap={2} align="flex-start">
						{paths.map((path) => (
							<Code key={path}>{path}</Code>
						))}
					</Stack>
				)}
			</Table.Td>
			<Table.Td>
				<KeyState disabled={disabled} expiresAt={expiresAt} />
			</Table.Td>
			<Table.Td>{lastUsedAt === null ? "Never" : <RelativeTime at={lastUsedAt} />}</Table.Td>
			<Table.Td>
				<RelativeTime at={createdAt} />
			</Table.Td>
			<Table.Td>
				{!isMine && (
					<Group gap="xs" justify="flex-end" wrap="nowrap">
						<Button
							size="xs"
							variant="default"
							loading={patch.isRunning}
							aria-label={`${disabled ? "Enable" : "Disable"} ${name}`}
							onClick={() => void patch.run({ disabled: !disabled })}
						>
							{disabled ? "Enable" : "Disable"}
						</Button>
						<ConfirmButton
							label="Delete"
							aria-label={`Delete ${name}`}
							question={`Delete the key “${name}”? It is refused everywhere within ten seconds. Tokens that were made with it live on.`}
							onConfirm={() => remove.run(undefined)}
						/>
					</Group>
				)}
			</Table.Td>
		</Table.Tr>
	);
}

function KeyState({ disabled, expiresAt }: { disabled: boolean; expiresAt: string | null }) {
	if (disabled) return <StateBadge state="idle">Disabled</StateBadge>;
	if (expiresAt === null) return <StateBadge state="good">Active</StateBadge>;
	if (Date.parse(expiresAt) <= Date.now()) return <StateBadge state="bad">Expired</StateBadge>;
	return (
		<StateBadge state="good">
			Ends <RelativeTime at={expiresAt} />
		</StateBadge>
	);
}
