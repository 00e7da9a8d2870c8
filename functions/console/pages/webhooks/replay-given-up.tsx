import { Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { segment } from "../../api/client.ts";
import { useChange } from "../../api/hooks.ts";
import { type Replayed, replayedWords } from "./replay.ts";

const HOUR_MS = 3_600_000;
const RANGES = [
	{ label: "the last hour", ms: HOUR_MS },
	{ label: "the last day", ms: 24 * HOUR_MS },
	{ label: "the last week", ms: 168 * HOUR_MS },
	{ label: "the last 30 days", ms: 720 * HOUR_MS },
];

/** Delivers once more what was given up for an endpoint, as after a failure of the receiver. */
export function ReplayGivenUp({ endpointId }: { endpointId: string }) {
	const replay = useChange(
		async (api, ms: number) => {
			const since = new Date(Date.now() - ms).toISOString();
			const { body } = await api.send<Replayed>("POST", `/v1/webhooks/${segment(endpointId)}/replay`, { since });
			notifications.show({
				message: replayedWords(body),
				color: "teal",
				closeButtonProps: { "aria-label": "Close the notification" },
			});
		},
		{ touches: ["/v1/deliveries"] },
	);
	return (
		<Menu position="bottom-start" withinPortal={false}>
			<Menu.Target>
				<Button variant="default" loading={replay.isRunning}>
					Replay what was given up in …
				</Button>
			</Menu.Target>
			<Menu.Dropdown>
				{RANGES.map(({ label, ms }) => (
					<Menu.Item key={label} onClick={() => void replay.run(ms)}>
						{label}
					</Menu.Item>
				))}
			</Menu.Dropdown>
		</Menu>
	);
}
