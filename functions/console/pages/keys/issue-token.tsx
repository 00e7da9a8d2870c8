import { Button, Checkbox, Group, Select, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { IssuedToken } from "../../../routes/tokens.ts";
import { useChange } from "../../api/hooks.ts";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { IssuedTokenFields } from "./issued-token.tsx";
import { Section } from "./section.tsx";
import { EMPTY_DRAFT, requestOf, type TokenDraft, takesLimits } from "./token-draft.ts";
import { TokenLimitFields } from "./token-limit-fields.tsx";

const LIVES = [
	{ value: "1h", label: "an hour" },
	{ value: "8h", label: "8 hours" },
	{ value: "24h", label: "a day" },
	{ value: "30d", label: "30 days" },
	{ value: "365d", label: "a year" },
];

/** Makes a token for a viewer or a publisher, with a URL to hand on. */
export function IssueToken() {
	const [draft, setDraft] = useState(EMPTY_DRAFT);
	const [issued, setIssued] = useState<IssuedToken | null>(null);
	const issue = useChange(
		async (api, body: TokenDraft) => (await api.send<IssuedToken>("POST", "/v1/tokens", requestOf(body))).body,
		{ touches: [], quiet: true },
	);
	const change = (changed: Partial<TokenDraft>) => setDraft({ ...draft, ...changed });

	async function submit(event: FormEvent) {
		event.preventDefault();
		setIssued(await issue.run(draft));
	}

	return (
		<Section title="Issue a token">
			<form onSubmit={(event) => void submit(event)}>
				<Stack>
					<TextInput
						label="Path"
						description="A name such as site/cam01; or ~ and a regular expression; empty for every path"
						value={draft.path}
						onChange={(event) => change({ path: event.currentTarget.value })}
						autoComplete="off"
						spellCheck={false}
						styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
					/>
					<Checkbox.Group
						label="May"
						value={[...draft.actions]}
						onChange={(chosen) =>
							change({ actions: (["read", "publish"] as const).filter((action) => chosen.includes(action)) })
						}
					>
						<Group mt="xs">
							<Checkbox value="read" label="watch" />
							<Checkbox value="publish" label="publish" />
						</Group>
					</Checkbox.Group>
					<Group grow align="flex-start">
						<Select
							label="Lives for"
							data={LIVES}
							value={draft.expiresIn}
							onChange={(value) => change({ expiresIn: value ?? EMPTY_DRAFT.expiresIn })}
							allowDeselect={false}
						/>
						<TextInput
							label="For whom"
							placeholder="ana"
							value={draft.subject}
							maxLength={256}
							onChange={(event) => change({ subject: event.currentTarget.value })}
							autoComplete="off"
						/>
					</Group>
					{takesLimits(draft) && <TokenLimitFields draft={draft} onChange={change} />}
					<ProblemAlert problem={issue.problem} />
					<Group>
						<Button type="submit" loading={issue.isRunning} disabled={draft.actions.length === 0}>
							Issue the token
						</Button>
					</Group>
				</Stack>
			</form>
			<div aria-live="polite">{issued !== null && <IssuedTokenFields issued={issued} />}</div>
		</Section>
	);
}
