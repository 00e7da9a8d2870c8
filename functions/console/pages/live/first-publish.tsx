import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { Radio } from "lucide-react";
import { useState } from "react";
import { useCan, useChange } from "../../api/hooks.ts";
import { findMediaPlace } from "../../player/media-place.ts";
import { Command } from "../../ui/command.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { firstPublishCommand } from "../path/publish-recipes.ts";

const NO_RTSP = "The node takes no RTSP. Open the path's page for its other protocols.";

/** What stands on a wall without streams: how the first one gets there. */
export function FirstPublish() {
	const mayPublish = useCan("manage");
	return (
		<EmptyState icon={Radio} title="No stream is live">
			{mayPublish ? (
				<Stack gap="sm">
					<Text>
						Name a path, and run the command that you get: it publishes a test picture and a tone with ffmpeg.
					</Text>
					<CommandMaker />
				</Stack>
			) : (
				"As soon as somebody publishes, the stream shows here. Publishing takes a stream key, which an operator can make."
			)}
		</EmptyState>
	);
}

function CommandMaker() {
	const [path, setPath] = useState("cam01");
	const [command, setCommand] = useState<string | null>(null);
	const { run, isRunning, problem } = useChange(
		async (api, name: string) => {
			const { body } = await api.send<{ streamKey: string }>("POST", "/v1/stream-keys", {
				path: name,
				action: "publish",
				expiresIn: "24h",
			});
			const { urls } = await findMediaPlace("ingest", name, body.streamKey);
			return firstPublishCommand(urls, body.streamKey) ?? NO_RTSP;
		},
		{ touches: [], quiet: true },
	);
	return (
		<form
			onSubmit={(event) => {
				event.preventDefault();
				void run(path.trim()).then(setCommand);
			}}
		>
			<Stack gap="sm" ta="left">
				<Group align="flex-end" gap="sm">
					<TextInput
						label="Path"
						required
						value={path}
						onChange={(event) => setPath(event.currentTarget.value)}
						spellCheck={false}
						autoComplete="off"
						style={{ flex: 1, minWidth: 160 }}
						styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
					/>
					<Button type="submit" loading={isRunning}>
						Make the command
					</Button>
				</Group>
				<ProblemAlert problem={problem} />
				{command !== null && (
					<>
						<Command label="Publish a test picture">{command}</Command>
						<Text size="sm">
							Its key is good for a day, to publish to this path alone. The stream shows here when it is live.
						</Text>
					</>
				)}
			</Stack>
		</form>
	);
}
