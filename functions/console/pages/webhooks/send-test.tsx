import { Button, Code, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Webhook } from "../../../routes/webhooks.ts";
import type { FullDelivery } from "../../../webhooks/shown-delivery.ts";
import { segment } from "../../api/client.ts";
import { useChange, useResource } from "../../api/hooks.ts";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { AttemptLog } from "./attempt-log.tsx";
import { DeliveryState } from "./delivery-state.tsx";

const POLL_MS = 1_000;

/** Sends an event of type `webhook.test`, and shows what becomes of it. */
export function SendTest({ endpoint: { id, url, disabled } }: { endpoint: Webhook }) {
	const [event, setEvent] = useState<string | null>(null);
	const send = useChange(
		async (api) => (await api.send<{ eventId: string }>("POST", `/v1/webhooks/${segment(id)}/test`)).body.eventId,
		{ touches: ["/v1/deliveries"] },
	);
	const close = () => setEvent(null);
	return (
		<>
			<Button
				size="xs"
				variant="default"
				loading={send.isRunning}
				disabled={disabled !== null}
				aria-label={`Send a test to ${url}`}
				onClick={() => void send.run(undefined).then(setEvent)}
			>
				Send a test
			</Button>
			<Modal opened={event !== null} onClose={close} title="A test is on its way" size="lg">
				{event !== null && <TestProgress address={`/v1/webhooks/${segment(id)}/deliveries/${segment(event)}`} />}
			</Modal>
		</>
	);
}

function TestProgress({ address }: { address: string }) {
	const [isSettled, setSettled] = useState(false);
	const { data, problem } = useResource<FullDelivery>(address, isSettled ? {} : { pollMs: POLL_MS });
	if (data !== undefined && data.state !== "pending" && !isSettled) setSettled(true);
	return (
		<Stack aria-live="polite">
			<ProblemAlert problem={problem} />
			{data === undefined ? (
				<Text size="sm">It was handed over; within a minute it is sent.</Text>
			) : (
				<>
					<Group>
						<DeliveryState delivery={data} />
						{data.state === "pending" && data.attempts === 0 && <Text size="sm">It is sent within a minute.</Text>}
					</Group>
					<AttemptLog attempts={data.attemptLog} />
					<Code block tabIndex={0} role="region" aria-label="Body of the event">
						{JSON.stringify(data.event, null, 2)}
					</Code>
				</>
			)}
		</Stack>
	);
}
