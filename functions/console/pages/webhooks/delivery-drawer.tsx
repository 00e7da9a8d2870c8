import { Button, Code, Drawer, Group, Loader, Stack, Title } from "@mantine/core";
import type { FullDelivery } from "../../../webhooks/shown-delivery.ts";
import { useCan, useChange, useResource } from "../../api/hooks.ts";
import { KeyValue } from "../../ui/key-value.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { AttemptLog } from "./attempt-log.tsx";
import { DeliveryState } from "./delivery-state.tsx";
import { type DeliveryRef, deliveryAddress, replayAll } from "./replay.ts";

/** One delivery: the event as it is sent, and what came of each attempt. */
export function DeliveryDrawer({ delivery, onClose }: { delivery: DeliveryRef | null; onClose: () => void }) {
	return (
		<Drawer opened={delivery !== null} onClose={onClose} position="right" size="lg" title="Delivery">
			{delivery !== null && <Detail delivery={delivery} onReplayed={onClose} />}
		</Drawer>
	);
}

function Detail({ delivery, onReplayed }: { delivery: DeliveryRef; onReplayed: () => void }) {
	const { data, problem, isLoading } = useResource<FullDelivery>(deliveryAddress(delivery));
	const mayReplay = useCan("api");
	const replay = useChange((api) => replayAll(api, [delivery]), {
		touches: ["/v1/deliveries"],
		done: "It is delivered once more",
	});
	if (isLoading) return <Loader aria-label="Loading the delivery" />;
	if (data === undefined) return <ProblemAlert problem={problem} />;
	return (
		<Stack>
			<Group justify="space-between">
				<DeliveryState delivery={data} />
				{mayReplay && data.state !== "pending" && (
					<Button
						size="xs"
						loading={replay.isRunning}
						onClick={() => void replay.run(undefined).then((done) => done !== null && onReplayed())}
					>
						Replay
					</Button>
				)}
			</Group>
			<KeyValue
				items={[
					{ label: "Event", value: <code>{data.eventType}</code> },
					{ label: "Id", value: <code>{data.eventId}</code> },
					{ label: "Path", value: data.path === null ? "none" : <code>{data.path}</code> },
					...(data.sequence === null ? [] : [{ label: "Number", value: data.sequence }]),
					...(data.nextAttemptAt === null
						? []
						: [{ label: "Next attempt", value: <RelativeTime at={data.nextAttemptAt} /> }]),
				]}
			/>
			<Title order={3} size="h5">
				Attempts
			</Title>
			<AttemptLog attempts={data.attemptLog} />
			<Title order={3} size="h5">
				Body
			</Title>
			<Code block tabIndex={0} role="region" aria-label="Body of the event">
				{JSON.stringify(data.event, null, 2)}
			</Code>
		</Stack>
	);
}
