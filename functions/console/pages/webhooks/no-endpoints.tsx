import { Button, Stack, Text } from "@mantine/core";
import { Webhook } from "lucide-react";
import { EmptyState } from "../../ui/empty-state.tsx";
import { VerifyHow } from "./verify-how.tsx";

/** What stands here before there is an endpoint. `null`: who looks cannot add one. */
export function NoEndpoints({ onAdd }: { onAdd: (() => void) | null }) {
	return (
		<EmptyState
			icon={Webhook}
			title="No endpoint yet"
			action={
				onAdd === null ? (
					<Text size="sm">An administrator can add one.</Text>
				) : (
					<Button onClick={onAdd}>Add an endpoint</Button>
				)
			}
		>
			<Stack>
				<Text>
					Your own services hear of it when a stream begins or ends, as a POST to an address of yours: each event at
					least once, for up to three days.
				</Text>
				<VerifyHow />
			</Stack>
		</EmptyState>
	);
}
