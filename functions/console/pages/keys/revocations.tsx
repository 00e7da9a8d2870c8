import { Code, Loader, Table, Text } from "@mantine/core";
import type { ShownRevocation } from "../../../routes/revocations.ts";
import { segment } from "../../api/client.ts";
import { useChange, useResource } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { WideTable } from "../../ui/wide-table.tsx";
import { Section } from "./section.tsx";

/** What was revoked and has not expired, the newest first. */
export function Revocations() {
	const { data, problem } = useResource<{ items: ShownRevocation[] }>("/v1/revocations", { pollMs: 15_000 });
	const items = data?.items.toReversed() ?? [];
	return (
		<Section title="Revoked">
			<ProblemAlert problem={problem} />
			{data === undefined && problem === null && <Loader aria-label="Loading what was revoked" />}
			{data !== undefined && items.length === 0 && (
				<Text size="sm" c="dimmed">
					Nothing is revoked. Tokens end by themselves; revoke one when somebody must be stopped sooner.
				</Text>
			)}
			{items.length > 0 && (
				<WideTable label="Revoked" minWidth={640} heads={["What", "Which", "Revoked", "Entry ends"]} hasActions>
					{items.map((revocation) => (
						<RevocationRow key={`${revocation.kind} ${revocation.value}`} revocation={revocation} />
					))}
				</WideTable>
			)}
		</Section>
	);
}

function RevocationRow({ revocation }: { revocation: ShownRevocation }) {
	const { kind, value, revokedAt, expiresAt } = revocation;
	const takeBack = useChange((api) => api.send("DELETE", `/v1/revocations/${segment(kind)}/${segment(value)}`), {
		touches: ["/v1/revocations"],
		done: "The revocation is taken back",
	});
	return (
		<Table.Tr>
			<Table.Td>{kind}</Table.Td>
			<Table.Td>
				<Code style={{ overflowWrap: "anywhere" }}>{value}</Code>
			</Table.Td>
			<Table.Td>
				<RelativeTime at={revokedAt} />
			</Table.Td>
			<Table.Td>
				<RelativeTime at={expiresAt} />
			</Table.Td>
			<Table.Td ta="right">
				<ConfirmButton
					label="Take back"
					aria-label={`Take back the revocation of ${kind} ${value}`}
					color="cyan"
					question={`Let ${kind} ${value} in again? What was revoked is good again as long as it lives.`}
					onConfirm={() => takeBack.run(undefined)}
				/>
			</Table.Td>
		</Table.Tr>
	);
}
