import { Code, Group, Loader, Stack, Table, Text } from "@mantine/core";
import { RefreshCw } from "lucide-react";
import type { SigningKeyList } from "../../../routes/signing-keys.ts";
import { segment } from "../../api/client.ts";
import { useChange, useResource } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { WideTable } from "../../ui/wide-table.tsx";

/** The keys that sign tokens: make a new one, and stop trusting an old one. */
export function SigningKeys() {
	const { data, problem } = useResource<SigningKeyList>("/v1/signing-keys", { pollMs: 30_000 });
	const rotate = useChange((api) => api.send("POST", "/v1/signing-keys/rotate"), {
		touches: ["/v1/signing-keys"],
		done: "A new key signs from now on",
	});
	return (
		<Stack>
			<Group justify="space-between" align="flex-start">
				<Text size="sm" c="dimmed" maw={640}>
					One key signs new tokens; the others still verify older ones. Retire a key when its last token has expired, or
					at once if it leaked.
				</Text>
				<ConfirmButton
					label="Rotate"
					size="sm"
					color="cyan"
					leftSection={<RefreshCw size={16} aria-hidden />}
					question="Make a new key that signs from now on? Tokens of the others stay good until those are retired."
					onConfirm={() => rotate.run(undefined)}
				/>
			</Group>
			<ProblemAlert problem={problem} />
			{data === undefined && problem === null && <Loader aria-label="Loading the keys" />}
			{data !== undefined && (
				<WideTable label="Signing keys" minWidth={720} heads={["Key", "State", "From", "Made"]} hasActions>
					{data.items.map((key) => (
						<SigningKeyRow key={key.kid} signingKey={key} />
					))}
				</WideTable>
			)}
		</Stack>
	);
}

function SigningKeyRow({ signingKey }: { signingKey: SigningKeyList["items"][number] }) {
	const { kid, signs, origin, createdAt } = signingKey;
	const retire = useChange((api) => api.send("DELETE", `/v1/signing-keys/${segment(kid)}`), {
		touches: ["/v1/signing-keys"],
		done: "The key is trusted no more",
	});
	return (
		<Table.Tr>
			<Table.Td>
				<Code>{kid}</Code>
			</Table.Td>
			<Table.Td>
				<StateBadge state={signs ? "good" : "idle"}>{signs ? "Signs" : "Verifies"}</StateBadge>
			</Table.Td>
			<Table.Td>{origin === "environment" ? "The settings" : "A rotation"}</Table.Td>
			<Table.Td>{createdAt === null ? "Unknown" : <RelativeTime at={createdAt} />}</Table.Td>
			<Table.Td ta="right">
				{!signs && (
					<ConfirmButton
						label="Retire"
						aria-label={`Retire ${kid}`}
						question={`Trust the key ${kid} no more? Every token that it signed is worth nothing within ten seconds.`}
						onConfirm={() => retire.run(undefined)}
					/>
				)}
			</Table.Td>
		</Table.Tr>
	);
}
