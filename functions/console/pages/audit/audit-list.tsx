import { Accordion, Button, Group, Loader, Stack, Text } from "@mantine/core";
import { ScrollText } from "lucide-react";
import type { AuditEntry } from "../../../audit/audit-log.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { actionWords } from "./action-words.ts";
import { EntryDetail } from "./entry-detail.tsx";
import { type AuditDays, useAudit } from "./use-audit.ts";

/** The changes of these days, newest first. */
export function AuditList({ days }: { days: AuditDays }) {
	const log = useAudit(days);
	if (log.isLoading) return <Loader aria-label="Loading the log" />;
	const isNarrowed = days.from !== "" || days.to !== "";
	const entries = log.items ?? [];
	return (
		<Stack>
			<ProblemAlert problem={log.problem} />
			{log.items !== undefined && entries.length === 0 && !log.hasMore && (
				<EmptyState
					icon={ScrollText}
					title={isNarrowed ? "Nothing was changed in these days" : "Nothing was changed yet"}
				>
					Each change of a key, path, token, node or webhook is written down here: who made it, when and from where.
					{isNarrowed && " Choose other days, or clear them to see everything."}
				</EmptyState>
			)}
			{entries.length > 0 && (
				<Accordion variant="contained" chevronPosition="left" order={2}>
					{entries.map((entry) => (
						<Entry key={entry.id} entry={entry} />
					))}
				</Accordion>
			)}
			{log.hasMore && (
				<Group>
					<Button variant="default" loading={log.isLoadingMore} onClick={log.loadMore}>
						Load older ones
					</Button>
				</Group>
			)}
		</Stack>
	);
}

const MAX_TARGET = 60;

/** The whole of it is in the detail. */
function shortened(target: string): string {
	return target.length <= MAX_TARGET ? target : `${target.slice(0, MAX_TARGET)}…`;
}

function Entry({ entry }: { entry: AuditEntry }) {
	const { id, at, by, address, action, target, outcome } = entry;
	return (
		<Accordion.Item value={id}>
			<Accordion.Control>
				<Group justify="space-between" gap="xs">
					<div>
						<Text size="sm" fw={400} style={{ overflowWrap: "anywhere" }}>
							<b>{by.name || by.id}</b> {actionWords(action)}: <code>{shortened(target)}</code>
						</Text>
						<Text size="xs" c="dimmed" fw={400}>
							<RelativeTime at={at} />
							{address === null ? "" : ` from ${address}`}, by {by.kind === "key" ? "an API key" : "a token"}
						</Text>
					</div>
					{outcome === "unknown" && <StateBadge state="warning">may not have been made</StateBadge>}
				</Group>
			</Accordion.Control>
			<Accordion.Panel>
				<EntryDetail entry={entry} />
			</Accordion.Panel>
		</Accordion.Item>
	);
}
