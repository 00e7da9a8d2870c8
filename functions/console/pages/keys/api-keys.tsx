import { Button, Group, Loader, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import type { ApiKeyPage } from "../../../routes/keys.ts";
import { useResource } from "../../api/hooks.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { WideTable } from "../../ui/wide-table.tsx";
import { ApiKeyRow } from "./api-key-row.tsx";
import { NewApiKey } from "./new-api-key.tsx";

const PAGE = 50;

/** The API keys, oldest first. */
export function ApiKeys() {
	const [cursors, setCursors] = useState<readonly string[]>([]);
	const cursor = cursors.at(-1);
	const address = `/v1/keys?limit=${PAGE}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
	const { data, problem } = useResource<ApiKeyPage>(address, { pollMs: 30_000 });
	const [isMaking, { open, close }] = useDisclosure(false);
	const next = data?.next ?? null;
	return (
		<Stack>
			<Group justify="space-between" align="flex-start">
				<Text size="sm" c="dimmed" maw={640}>
					One for each person or machine. A key signs in here and opens the API; it is shown once, when it is made.
				</Text>
				<Button leftSection={<Plus size={16} aria-hidden />} onClick={open}>
					New key
				</Button>
			</Group>
			<NewApiKey opened={isMaking} onClose={close} />
			<ProblemAlert problem={problem} />
			{data === undefined && problem === null && <Loader aria-label="Loading the keys" />}
			{data?.items.length === 0 && (
				<EmptyState icon={KeyRound} title="No API keys yet">
					You are signed in with a token, or with a key from the settings. Make a key for yourself: you can disable it
					here, and the audit log shows its name.
				</EmptyState>
			)}
			{data !== undefined && data.items.length > 0 && (
				<WideTable
					label="API keys"
					minWidth={760}
					heads={["Name", "Role", "Paths", "State", "Last used", "Made"]}
					hasActions
				>
					{data.items.map((key) => (
						<ApiKeyRow key={key.id} apiKey={key} />
					))}
				</WideTable>
			)}
			{(cursors.length > 0 || next !== null) && (
				<Group>
					<Button variant="default" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
						Earlier
					</Button>
					<Button
						variant="default"
						disabled={next === null}
						onClick={() => next !== null && setCursors([...cursors, next])}
					>
						Later
					</Button>
				</Group>
			)}
		</Stack>
	);
}
