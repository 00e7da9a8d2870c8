import { Anchor, Button, Center, Group, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { type FormEvent, useState } from "react";
import icon from "../../icon.svg";
import { FirstKey } from "./first-key.tsx";
import { keyFault } from "./key-fault.ts";

/** Asks for an API key or a token, and says how to come by a first one. `reason`: why somebody was signed out. */
export function SignInPage({ reason, onSignIn }: { reason: string | null; onSignIn: (key: string) => void }) {
	useDocumentTitle("Sign in · Sluice");
	const [text, setText] = useState("");
	const [fault, setFault] = useState<string | null>(reason);

	function submit(event: FormEvent) {
		event.preventDefault();
		const key = text.trim();
		const found = keyFault(key);
		setFault(found);
		if (found === null) onSignIn(key);
	}

	return (
		<Center component="main" mih="100dvh" p="md">
			<Stack w="100%" maw={480} gap="lg">
				<Group gap="sm" wrap="nowrap">
					<img src={icon} alt="" width={36} height={36} />
					<Title order={1} size="h2">
						Sign in to Sluice
					</Title>
				</Group>
				<Paper withBorder p="lg" component="form" onSubmit={submit} noValidate>
					<Stack>
						<PasswordInput
							label="API key or token"
							description="This tab keeps it until you close it or sign out."
							placeholder="slk_… or eyJ…"
							value={text}
							onChange={(event) => setText(event.currentTarget.value)}
							error={fault}
							autoComplete="current-password"
							spellCheck={false}
							visibilityToggleButtonProps={{ "aria-label": "Show or hide the key" }}
							data-autofocus
							autoFocus
						/>
						<Button type="submit">Sign in</Button>
					</Stack>
				</Paper>
				<FirstKey />
				<Text size="sm" c="dimmed">
					The API describes itself at{" "}
					<Anchor href="/openapi.json" inherit underline="always">
						/openapi.json
					</Anchor>
					.
				</Text>
			</Stack>
		</Center>
	);
}
