import { Button, Stack, Text } from "@mantine/core";
import { Server } from "lucide-react";
import { Command } from "../../ui/command.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { joinCommand } from "./join-command.ts";

/** What stands here before the first node has joined. */
export function NoNodes({ onAdd }: { onAdd: () => void }) {
	const command = joinCommand({
		control: window.location.origin,
		key: "KEY",
		region: "eu",
		publicHost: "node1.example",
	});
	return (
		<EmptyState
			icon={Server}
			title="No node has joined yet"
			action={<Button onClick={onAdd}>Make a key and the command</Button>}
		>
			<Stack gap="sm">
				<Text>
					Nodes take what publishers send and put it into the bucket. Any machine becomes one with a single command:
				</Text>
				<Command label="Command to join, with a key of yours">{command}</Command>
				<Text>
					A node that shares a process with these functions joins by itself when <code>nodeHeartbeat</code> is set to{" "}
					<code>5s</code>.
				</Text>
			</Stack>
		</EmptyState>
	);
}
