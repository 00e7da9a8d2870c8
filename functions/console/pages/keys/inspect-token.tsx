import { Button, Group, Stack, Textarea } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { InspectedToken } from "../../../routes/tokens.ts";
import { useChange } from "../../api/hooks.ts";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { InspectedTokenFacts } from "./inspected-token.tsx";
import { Section } from "./section.tsx";
import { tokenIn } from "./token-in.ts";

/** Says what a pasted token, or the URL that it stands in, is worth. */
export function InspectToken() {
	const [text, setText] = useState("");
	const [inspected, setInspected] = useState<InspectedToken | null>(null);
	const inspect = useChange(
		async (api, token: string) => (await api.send<InspectedToken>("POST", "/v1/tokens/inspect", { token })).body,
		{ touches: [], quiet: true },
	);

	async function submit(event: FormEvent) {
		event.preventDefault();
		setInspected(await inspect.run(tokenIn(text)));
	}

	return (
		<Section title="Inspect a token">
			<form onSubmit={(event) => void submit(event)}>
				<Stack>
					<Textarea
						label="Token, or the URL that it is in"
						autosize
						minRows={2}
						maxRows={6}
						value={text}
						onChange={(event) => setText(event.currentTarget.value)}
						spellCheck={false}
						autoComplete="off"
						styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
					/>
					<ProblemAlert problem={inspect.problem} />
					<Group>
						<Button type="submit" variant="default" loading={inspect.isRunning} disabled={text.trim() === ""}>
							Inspect
						</Button>
					</Group>
				</Stack>
			</form>
			<div aria-live="polite">{inspected !== null && <InspectedTokenFacts inspected={inspected} />}</div>
		</Section>
	);
}
