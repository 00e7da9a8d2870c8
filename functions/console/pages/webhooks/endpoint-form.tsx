import { Button, Checkbox, Group, SimpleGrid, Stack, TagsInput, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { ApiProblem } from "../../api/problem.ts";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { BringIntoView } from "../configuration/bring-into-view.tsx";
import { type EndpointDraft, pathFault, urlFault } from "./endpoint-draft.ts";
import { EVENT_TYPES, EVENT_WORDS } from "./event-words.ts";

export type EndpointFormProps = {
	readonly initial: EndpointDraft;
	/** What the button says. */
	readonly submitLabel: string;
	readonly isRunning: boolean;
	readonly problem: ApiProblem | null;
	onSubmit(draft: EndpointDraft): void;
	onCancel(): void;
};

/** Where events go, and which. */
export function EndpointForm({ initial, submitLabel, isRunning, problem, onSubmit, onCancel }: EndpointFormProps) {
	const [draft, setDraft] = useState(initial);
	const [isTried, setTried] = useState(false);
	const faults = {
		url: urlFault(draft.url),
		paths: draft.paths.map(pathFault).find((fault) => fault !== null) ?? null,
	};

	function submit(event: FormEvent) {
		event.preventDefault();
		setTried(true);
		if (faults.url === null && faults.paths === null) onSubmit({ ...draft, url: draft.url.trim() });
	}

	return (
		<form onSubmit={submit} noValidate>
			<Stack>
				<TextInput
					label="URL"
					description="Receives a POST for each event. It begins with https:// and is reachable from the internet."
					placeholder="https://example.com/hooks"
					type="url"
					required
					value={draft.url}
					onChange={({ currentTarget: { value } }) => setDraft((before) => ({ ...before, url: value }))}
					error={isTried ? faults.url : null}
					spellCheck={false}
					data-autofocus
				/>
				<TextInput
					label="Description"
					description="What it is for"
					value={draft.description}
					onChange={({ currentTarget: { value } }) => setDraft((before) => ({ ...before, description: value }))}
					maxLength={500}
				/>
				<Checkbox.Group
					label="Events"
					description="None chosen: all of them, also those that come later"
					value={[...draft.events]}
					onChange={(events) => setDraft((before) => ({ ...before, events: chosen(events) }))}
				>
					<SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" mt="xs">
						{EVENT_TYPES.map((type) => (
							<Checkbox key={type} value={type} label={<code>{type}</code>} description={EVENT_WORDS[type]} />
						))}
					</SimpleGrid>
				</Checkbox.Group>
				<TagsInput
					label="Paths"
					description="Names, or ~ and a regular expression, each with Enter. None: all paths"
					placeholder="~^site/"
					value={[...draft.paths]}
					onChange={(paths) => setDraft((before) => ({ ...before, paths }))}
					error={faults.paths}
					maxTags={50}
					acceptValueOnBlur
				/>
				<BringIntoView on={problem}>
					<ProblemAlert problem={problem} />
				</BringIntoView>
				<Group justify="flex-end">
					<Button variant="default" onClick={onCancel}>
						Cancel
					</Button>
					<Button type="submit" loading={isRunning}>
						{submitLabel}
					</Button>
				</Group>
			</Stack>
		</form>
	);
}

/** In the order of the list, whatever was clicked first. */
function chosen(events: readonly string[]): EndpointDraft["events"] {
	return EVENT_TYPES.filter((type) => events.includes(type));
}
