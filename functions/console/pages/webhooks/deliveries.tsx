import { Button, Group, Loader, Stack, Text } from "@mantine/core";
import { Inbox } from "lucide-react";
import { useState } from "react";
import type { ShownDelivery } from "../../../webhooks/shown-delivery.ts";
import { useCan, useChange } from "../../api/hooks.ts";
import { usePages } from "../../api/pages.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { type DeliveryFilter, deliveriesAddress } from "./deliveries-address.ts";
import { DeliveryDrawer } from "./delivery-drawer.tsx";
import { DeliveryFilters } from "./delivery-filters.tsx";
import { DeliveryTable } from "./delivery-table.tsx";
import { useEndpoints } from "./endpoints.tsx";
import { type DeliveryRef, replayAll } from "./replay.ts";
import { ReplayGivenUp } from "./replay-given-up.tsx";

const POLL_MS = 5_000;
const NONE: Readonly<Record<DeliveryFilter["state"], readonly [title: string, text: string]>> = {
	dead: [
		"Nothing was given up",
		"An event that no attempt brings through within three days lands here, to be replayed.",
	],
	pending: ["Nothing waits", "Events on their way stand here, with the time of their next attempt."],
	done: ["Nothing came through yet", "Send a test from “Endpoints”, or publish a stream."],
};

/** What is on its way, came through, or was given up. */
export function Deliveries({
	filter,
	onFilter,
}: {
	filter: DeliveryFilter;
	onFilter: (filter: DeliveryFilter) => void;
}) {
	const endpoints = useEndpoints().data?.items ?? [];
	const mayReplay = useCan("api") && filter.state !== "pending";
	return (
		<Stack>
			<DeliveryFilters filter={filter} endpoints={endpoints} onChange={onFilter} />
			{mayReplay && filter.state === "dead" && filter.endpoint !== null && (
				<Group>
					<ReplayGivenUp endpointId={filter.endpoint} />
				</Group>
			)}
			<DeliveryList
				key={deliveriesAddress(filter)}
				filter={filter}
				urlOf={(id) => endpoints.find((endpoint) => endpoint.id === id)?.url ?? `${id} (deleted)`}
				mayReplay={mayReplay}
			/>
		</Stack>
	);
}

type DeliveryListProps = { filter: DeliveryFilter; urlOf: (id: string) => string; mayReplay: boolean };

function DeliveryList({ filter, urlOf, mayReplay }: DeliveryListProps) {
	const pages = usePages<ShownDelivery>(deliveriesAddress(filter), { pollMs: POLL_MS });
	const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
	const [opened, setOpened] = useState<DeliveryRef | null>(null);
	const deliveries = pages.items ?? [];
	const chosen = deliveries.filter(({ name }) => selected.has(name));
	const replay = useChange((api) => replayAll(api, chosen), {
		touches: ["/v1/deliveries"],
		done: "They are delivered once more",
	});
	const [title, text] = NONE[filter.state];

	async function replayChosen() {
		await replay.run(undefined);
		setSelected(new Set());
	}

	if (pages.isLoading) return <Loader aria-label="Loading the deliveries" />;
	return (
		<Stack>
			<ProblemAlert problem={pages.problem} />
			{pages.items !== undefined && deliveries.length === 0 && !pages.hasMore && (
				<EmptyState icon={Inbox} title={title}>
					{text}
				</EmptyState>
			)}
			{mayReplay && deliveries.length > 0 && (
				<Group aria-live="polite">
					<Button disabled={chosen.length === 0} loading={replay.isRunning} onClick={() => void replayChosen()}>
						Replay selected
					</Button>
					<Text size="sm" c="dimmed">
						{chosen.length} of {deliveries.length} selected
					</Text>
				</Group>
			)}
			{deliveries.length > 0 && (
				<DeliveryTable
					deliveries={deliveries}
					urlOf={urlOf}
					selected={mayReplay ? selected : null}
					onSelect={setSelected}
					onOpen={({ state, name }) => setOpened({ state, name })}
				/>
			)}
			{pages.hasMore && (
				<Group>
					<Button variant="default" loading={pages.isLoadingMore} onClick={pages.loadMore}>
						{deliveries.length === 0 ? "Look further back" : "Load more"}
					</Button>
				</Group>
			)}
			<DeliveryDrawer delivery={opened} onClose={() => setOpened(null)} />
		</Stack>
	);
}
