import { Alert, Button, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { GitMerge } from "lucide-react";
import { useEffect, useRef } from "react";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { ChangeList } from "./change-list.tsx";
import { changesBetween, merged, type Overrides } from "./draft.ts";
import type { Conflict } from "./save-path.ts";
import { authorText } from "./version-text.ts";

/** Somebody else was first: what they changed, what I changed, and how to go on. */
export function ConflictPanel(props: {
	base: Overrides;
	mine: Overrides;
	conflict: Conflict;
	onTakeTheirs: () => void;
	onStartAgain: () => void;
}) {
	const { base, mine, conflict, onTakeTheirs, onStartAgain } = props;
	const { theirs, version } = conflict;
	const { both } = merged(base, mine, theirs.overrides);
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => heading.current?.focus(), []);
	return (
		<Alert color="yellow" variant="outline" icon={<GitMerge aria-hidden />} role="alert">
			<Stack gap="sm">
				<Title order={2} size="h4" ref={heading} tabIndex={-1}>
					Somebody else changed it
				</Title>
				<Text size="sm">
					{version === null ? "The configuration is not the one that you began with" : <ByWhom conflict={conflict} />}.
					Nothing of yours was saved.
				</Text>
				<SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
					<section>
						<Title order={3} size="h5" mb="xs">
							They changed
						</Title>
						<ChangeList changes={changesBetween(base, theirs.overrides)} label="What they changed" />
					</section>
					<section>
						<Title order={3} size="h5" mb="xs">
							You changed
						</Title>
						<ChangeList changes={changesBetween(base, mine)} label="What you changed" />
					</section>
				</SimpleGrid>
				{both.length > 0 && (
					<Text size="sm">
						You both changed <code>{both.join(", ")}</code>: yours would replace theirs.
					</Text>
				)}
				<Group gap="xs">
					<Button size="xs" onClick={onTakeTheirs}>
						Take theirs over, keep my changes
					</Button>
					<Button size="xs" variant="default" onClick={onStartAgain}>
						Drop my changes, start again
					</Button>
				</Group>
			</Stack>
		</Alert>
	);
}

function ByWhom({ conflict: { version, theirs } }: { conflict: Conflict }) {
	if (version === null) return null;
	return (
		<>
			{authorText(version.by)} {theirs.isConfigured ? "changed the configuration" : "deleted the configuration"}{" "}
			<RelativeTime at={version.at} /> (version {version.version})
		</>
	);
}
