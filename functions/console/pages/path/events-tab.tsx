import { Button, Group, Loader, Stack, Table, Text } from "@mantine/core";
import { CalendarClock } from "lucide-react";
import { useState } from "react";
import type { StreamEventPage } from "../../../routes/stream-events.ts";
import { segment } from "../../api/client.ts";
import { useApi, useResource } from "../../api/hooks.ts";
import { type ApiProblem, asProblem } from "../../api/problem.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { eventSentence } from "./event-sentence.ts";
import { momentText } from "./timeline-words.ts";

type StreamEvent = StreamEventPage["items"][number];

const POLL_MS = 5_000;

/** What happened on a path, the newest first. */
export function EventsTab({ path }: { path: string }) {
	const address = `/v1/streams/${segment(path)}/events`;
	const api = useApi();
	const { data, problem, isLoading } = useResource<StreamEventPage>(address, { pollMs: POLL_MS });
	const [older, setOlder] = useState<StreamEventPage | null>(null);
	const [olderProblem, setOlderProblem] = useState<ApiProblem | null>(null);
	const [isAsking, setAsking] = useState(false);
	const next = older === null ? (data?.next ?? null) : older.next;
	const events = withoutDoubles([...(data?.items ?? []), ...(older?.items ?? [])]);

	async function loadMore(cursor: string) {
		setAsking(true);
		setOlderProblem(null);
		try {
			const page = await api.get<StreamEventPage>(`${address}?cursor=${encodeURIComponent(cursor)}`);
			// New events push others off the first page: what was there stays.
			setOlder({ items: withoutDoubles([...(older?.items ?? data?.items ?? []), ...page.items]), next: page.next });
		} catch (error) {
			setOlderProblem(asProblem(error));
		} finally {
			setAsking(false);
		}
	}

	if (isLoading) return <Loader aria-label="Asking for the events" />;
	return (
		<Stack gap="md">
			<ProblemAlert problem={problem?.status === 404 ? null : (problem ?? olderProblem)} />
			{events.length === 0 ? (
				<EmptyState icon={CalendarClock} title="Nothing has happened here yet">
					Publish to this path (tab Connect). When the stream begins and ends, and what goes wrong, shows here.
				</EmptyState>
			) : (
				<EventTable events={events} />
			)}
			{next !== null && (
				<Group>
					<Button variant="default" loading={isAsking} onClick={() => void loadMore(next)}>
						Load more
					</Button>
				</Group>
			)}
		</Stack>
	);
}

function EventTable({ events }: { events: readonly StreamEvent[] }) {
	return (
		<Table.ScrollContainer minWidth={320} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
			<Table verticalSpacing="xs">
				<Table.Thead>
					<Table.Tr>
						<Table.Th w={{ base: 130, sm: 200 }}>When</Table.Th>
						<Table.Th>What</Table.Th>
					</Table.Tr>
				</Table.Thead>
				<Table.Tbody>
					{events.map((event) => {
						const { state, text } = eventSentence(event);
						return (
							<Table.Tr key={event.id}>
								<Table.Td style={{ verticalAlign: "top" }}>
									<Text size="sm">
										<RelativeTime at={event.timestamp} />
									</Text>
									<Text size="xs" c="dimmed">
										{momentText(Date.parse(event.timestamp))}
									</Text>
								</Table.Td>
								<Table.Td style={{ overflowWrap: "anywhere" }}>
									<Text size="sm" mb={4}>
										{text}
									</Text>
									<StateBadge state={state}>{event.type}</StateBadge>
								</Table.Td>
							</Table.Tr>
						);
					})}
				</Table.Tbody>
			</Table>
		</Table.ScrollContainer>
	);
}

function withoutDoubles(events: readonly StreamEvent[]): StreamEvent[] {
	return [...new Map(events.map((event) => [event.id, event])).values()];
}
