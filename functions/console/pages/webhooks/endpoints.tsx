import { Accordion, Loader, Stack } from "@mantine/core";
import type { Webhook } from "../../../routes/webhooks.ts";
import { useCan, useResource } from "../../api/hooks.ts";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { EndpointCard } from "./endpoint-card.tsx";
import { NoEndpoints } from "./no-endpoints.tsx";
import { VerifyHow } from "./verify-how.tsx";

const POLL_MS = 15_000;

/** Every endpoint, the oldest first. */
export function useEndpoints() {
	return useResource<{ items: Webhook[] }>("/v1/webhooks", { pollMs: POLL_MS });
}

/** The endpoints, or how to come by one. */
export function Endpoints({ onAdd, onDeliveries }: { onAdd: () => void; onDeliveries: (id: string) => void }) {
	const mayAdd = useCan("api");
	const { data, problem, isLoading } = useEndpoints();
	if (isLoading) return <Loader aria-label="Loading the endpoints" />;
	const endpoints = (data?.items ?? []).toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
	return (
		<Stack>
			<ProblemAlert problem={problem} />
			{data !== undefined && endpoints.length === 0 && <NoEndpoints onAdd={mayAdd ? onAdd : null} />}
			{endpoints.map((endpoint) => (
				<EndpointCard key={endpoint.id} endpoint={endpoint} onDeliveries={() => onDeliveries(endpoint.id)} />
			))}
			{endpoints.length > 0 && (
				<Accordion variant="contained">
					<Accordion.Item value="verify">
						<Accordion.Control>How a receiver verifies a request</Accordion.Control>
						<Accordion.Panel>
							<VerifyHow />
						</Accordion.Panel>
					</Accordion.Item>
				</Accordion>
			)}
		</Stack>
	);
}
