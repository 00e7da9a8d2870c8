import { Alert, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { Webhook } from "../../../routes/webhooks.ts";
import { segment } from "../../api/client.ts";
import { useCan, useChange } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { KeyValue } from "../../ui/key-value.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { EditEndpoint } from "./edit-endpoint.tsx";
import { RotateSecret } from "./rotate-secret.tsx";
import { SendTest } from "./send-test.tsx";

/** One endpoint: what it gets, and what can be done about it. */
export function EndpointCard({ endpoint, onDeliveries }: { endpoint: Webhook; onDeliveries: () => void }) {
	const { url, description, events, paths, disabled, createdAt, secrets } = endpoint;
	return (
		<Paper withBorder p="md" component="article" aria-label={`Endpoint ${url}`}>
			<Stack gap="sm">
				<Group justify="space-between" gap="xs">
					<Group gap="sm">
						<Title order={2} size="h5" ff="monospace" style={{ overflowWrap: "anywhere" }}>
							{url}
						</Title>
						<StateBadge state={disabled === null ? "good" : "bad"}>
							{disabled === null ? "Enabled" : "Disabled"}
						</StateBadge>
					</Group>
					<Button size="xs" variant="default" onClick={onDeliveries} aria-label={`Deliveries to ${url}`}>
						Deliveries
					</Button>
				</Group>
				{description !== "" && <Text size="sm">{description}</Text>}
				{disabled !== null && (
					<Alert color="red" variant="outline" icon={<TriangleAlert aria-hidden />} title="Nothing is delivered to it">
						{disabled.reason} (<RelativeTime at={disabled.since} />)
					</Alert>
				)}
				<KeyValue
					items={[
						{ label: "Events", value: events.length === 0 ? "All" : <code>{events.join(", ")}</code> },
						{ label: "Paths", value: paths.length === 0 ? "All" : <code>{paths.join(", ")}</code> },
						{
							label: "Signed with",
							value: secrets === 1 ? "One secret" : `${secrets} secrets, for a day after the rotation`,
						},
						{ label: "Added", value: <RelativeTime at={createdAt} /> },
					]}
				/>
				<EndpointActions endpoint={endpoint} />
			</Stack>
		</Paper>
	);
}

function EndpointActions({ endpoint }: { endpoint: Webhook }) {
	const mayChange = useCan("api");
	const [isEditing, setEditing] = useState(false);
	const address = `/v1/webhooks/${segment(endpoint.id)}`;
	const enable = useChange((api) => api.send("PATCH", address, { disabled: false }), {
		touches: ["/v1/webhooks"],
		done: "The endpoint gets events again",
	});
	const remove = useChange((api) => api.send("DELETE", address), {
		touches: ["/v1/webhooks", "/v1/deliveries"],
		done: "The endpoint is deleted",
	});
	if (!mayChange) {
		return (
			<Text size="sm" c="dimmed">
				Only an administrator can change endpoints.
			</Text>
		);
	}
	return (
		<Group gap="xs">
			{endpoint.disabled !== null && (
				<Button size="xs" loading={enable.isRunning} onClick={() => void enable.run(undefined)}>
					Enable again
				</Button>
			)}
			<SendTest endpoint={endpoint} />
			<Button size="xs" variant="default" aria-label={`Edit ${endpoint.url}`} onClick={() => setEditing(true)}>
				Edit
			</Button>
			<RotateSecret endpoint={endpoint} />
			<ConfirmButton
				label="Delete"
				aria-label={`Delete ${endpoint.url}`}
				question={`Delete the endpoint ${endpoint.url}? What waits for it is given up.`}
				onConfirm={() => remove.run(undefined)}
			/>
			{isEditing && <EditEndpoint endpoint={endpoint} onClose={() => setEditing(false)} />}
		</Group>
	);
}
