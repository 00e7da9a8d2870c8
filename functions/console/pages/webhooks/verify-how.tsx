import { Stack, Tabs, Text } from "@mantine/core";
import { Command } from "../../ui/command.tsx";
import { SNIPPETS } from "./verify-snippet.ts";

/** How a receiver makes sure that a request comes from here. */
export function VerifyHow() {
	return (
		<Stack gap="xs" ta="left">
			<Text size="sm">
				Requests are signed as <b>Standard Webhooks</b> has it, with the secret of the endpoint. Verify each one; answer
				with a status of 200 to 299 within 15 seconds, or it comes again.
			</Text>
			<Tabs defaultValue={SNIPPETS[0]?.name ?? null}>
				<Tabs.List aria-label="Language">
					{SNIPPETS.map(({ name }) => (
						<Tabs.Tab key={name} value={name}>
							{name}
						</Tabs.Tab>
					))}
				</Tabs.List>
				{SNIPPETS.map(({ name, install, code }) => (
					<Tabs.Panel key={name} value={name} pt="xs">
						<Stack gap="xs">
							<Command label={`Install for ${name}`}>{install}</Command>
							<Command label={`Receiver in ${name}`}>{code}</Command>
						</Stack>
					</Tabs.Panel>
				))}
			</Tabs>
		</Stack>
	);
}
