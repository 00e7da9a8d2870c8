import { Button, Group } from "@mantine/core";
import type { NodeDescription } from "../../../routes/nodes.ts";
import { segment } from "../../api/client.ts";
import { useChange } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";

const NODES = "/v1/nodes";

/** What can be done about a node: take it out, let it back in, forget it. */
export function NodeActions({ node: { id, state, drainRequested } }: { node: NodeDescription }) {
	const address = `${NODES}/${segment(id)}`;
	const drain = useChange((api) => api.send("POST", `${address}/drain`), {
		touches: [NODES],
		done: `${id} takes no new streams`,
	});
	const undrain = useChange((api) => api.send("DELETE", `${address}/drain`), {
		touches: [NODES],
		done: `${id} takes new streams again`,
	});
	const forget = useChange((api) => api.send("DELETE", address), { touches: [NODES], done: `${id} is forgotten` });

	return (
		<Group gap="xs">
			{drainRequested && (
				<Button
					size="xs"
					variant="default"
					loading={undrain.isRunning}
					onClick={() => void undrain.run(undefined)}
					aria-label={`Stop draining ${id}`}
				>
					Stop draining
				</Button>
			)}
			{!drainRequested && state === "active" && (
				<ConfirmButton
					label="Drain"
					aria-label={`Drain ${id}`}
					question={`Drain ${id}? It takes no new streams. Those that it has stay until they end.`}
					color="cyan"
					onConfirm={() => drain.run(undefined)}
				/>
			)}
			{state === "down" && (
				<ConfirmButton
					label="Forget"
					aria-label={`Forget ${id}`}
					question={`Forget ${id}? It vanishes from this list, and gets no clients until it joins again.`}
					onConfirm={() => forget.run(undefined)}
				/>
			)}
		</Group>
	);
}
