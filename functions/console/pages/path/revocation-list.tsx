import { Code, Stack, Table, Title } from "@mantine/core";
import type { ShownRevocation } from "../../../routes/revocations.ts";
import { segment } from "../../api/client.ts";
import { useChange, useResource } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { WideTable } from "../../ui/wide-table.tsx";

const ADDRESS = "/v1/revocations";
const KIND_NAMES: Readonly<Record<string, string>> = { token: "Token", subject: "Viewer", path: "Path" };

/** What was revoked and still counts: of this path, and tokens and viewers, whose paths are not known. */
export function RevocationList({ path }: { path: string }) {
	const { data, problem } = useResource<{ items: readonly ShownRevocation[] }>(ADDRESS);
	const { run } = useChange(
		(api, { kind, value }: ShownRevocation) => api.send("DELETE", `${ADDRESS}/${kind}/${segment(value)}`),
		{ touches: [ADDRESS], done: "Taken back." },
	);
	const items = (data?.items ?? []).filter(({ kind, value }) => kind !== "path" || value === path).toReversed();
	if (problem === null && items.length === 0) return null;
	return (
		<Stack gap="xs" component="section">
			<Title order={2} size="h5">
				Revoked
			</Title>
			<ProblemAlert problem={problem} />
			<WideTable label="Revoked" minWidth={480} heads={["Whose", "When"]} hasActions>
				{items.map((item) => (
					<Table.Tr key={`${item.kind} ${item.value}`}>
						<Table.Td style={{ overflowWrap: "anywhere" }}>
							{KIND_NAMES[item.kind] ?? item.kind} <Code>{item.value}</Code>
						</Table.Td>
						<Table.Td>
							<RelativeTime at={item.revokedAt} />
						</Table.Td>
						<Table.Td ta="right">
							<ConfirmButton
								label="Take back"
								aria-label={`Take back the revocation of ${item.value}`}
								question={`Take the revocation of ${item.value} back? Its tokens work again until they expire.`}
								color="cyan"
								onConfirm={() => run(item)}
							/>
						</Table.Td>
					</Table.Tr>
				))}
			</WideTable>
		</Stack>
	);
}
