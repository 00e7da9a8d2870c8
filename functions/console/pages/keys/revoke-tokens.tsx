import { Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useChange } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { REVOKE_BY, type RevokeBy, revocationRequest } from "./revocation-request.ts";
import { Section } from "./section.tsx";

/** Takes tokens back: one, all of a viewer, or all for a path. */
export function RevokeTokens() {
	const [by, setBy] = useState<RevokeBy>("token");
	const [text, setText] = useState("");
	const chosen = REVOKE_BY.find(({ value }) => value === by) ?? REVOKE_BY[0];
	const revoke = useChange(
		(api, given: string) => api.send("POST", "/v1/tokens/revoke", revocationRequest(by, given)),
		{
			touches: ["/v1/revocations"],
			done: "Revoked. Everything obeys within ten seconds",
			quiet: true,
		},
	);
	return (
		<Section title="Revoke tokens">
			<Stack>
				<Select
					label="What"
					data={REVOKE_BY.map(({ value, label }) => ({ value, label }))}
					value={by}
					onChange={(value) => setBy(REVOKE_BY.find((each) => each.value === value)?.value ?? by)}
					allowDeselect={false}
				/>
				<TextInput
					label={chosen.field}
					value={text}
					onChange={(event) => setText(event.currentTarget.value)}
					autoComplete="off"
					spellCheck={false}
					styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
				/>
				<Text size="sm" c="dimmed">
					Ends what was made until now; playback stops within ten seconds. Tokens made later work.
				</Text>
				<ProblemAlert problem={revoke.problem} />
				<Group>
					<ConfirmButton
						label="Revoke"
						size="sm"
						disabled={text.trim() === ""}
						question={`Revoke this: ${chosen.label.toLowerCase()}? Whoever uses it is stopped within ten seconds.`}
						onConfirm={async () => {
							if ((await revoke.run(text)) !== null) setText("");
						}}
					/>
				</Group>
			</Stack>
		</Section>
	);
}
