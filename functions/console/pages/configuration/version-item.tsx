import { Badge, Button, Collapse, Group, Loader, Paper, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useId } from "react";
import type { PathVersionSummary } from "../../../routes/path-history.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { ChangeList } from "./change-list.tsx";
import { useComparison } from "./use-versions.ts";
import { actionText, authorText } from "./version-text.ts";

type VersionItemProps = {
	readonly path: string;
	readonly summary: PathVersionSummary;
	readonly isCurrent: boolean;
	readonly isReady: boolean;
	readonly onRollBack: () => unknown;
};

/** One version: who, when, what, and the way back to it. */
export function VersionItem({ path, summary, isCurrent, isReady, onRollBack }: VersionItemProps) {
	// What changed last is what one mostly looks for.
	const [isOpen, { toggle }] = useDisclosure(isCurrent);
	const id = useId();
	const { version, by, at, isDeleted } = summary;
	const back = isDeleted
		? `Roll back to version ${version}? The path has no configuration of its own then.`
		: `Roll back to version ${version}? That makes a new version; nodes take it within some seconds.`;
	return (
		<Paper component="li" withBorder p="sm">
			<Group justify="space-between" gap="xs" align="flex-start">
				<div style={{ minWidth: 0, flex: "1 1 14rem" }}>
					<Group gap="xs">
						<Text span fw={600}>
							Version {version}
						</Text>
						{isCurrent && (
							<Badge variant="light" radius="sm" tt="none" fw={500}>
								Now
							</Badge>
						)}
					</Group>
					<Text size="sm" style={{ overflowWrap: "anywhere" }}>
						{actionText(summary)} by {authorText(by)}, <RelativeTime at={at} />
					</Text>
				</div>
				<Group gap="xs">
					<Button
						variant="subtle"
						size="xs"
						onClick={toggle}
						aria-expanded={isOpen}
						aria-controls={id}
						aria-label={`What changed in version ${version}`}
						leftSection={isOpen ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
					>
						What changed
					</Button>
					{!isCurrent && (
						<ConfirmButton
							label="Roll back"
							aria-label={`Roll back to version ${version}`}
							question={back}
							color="cyan"
							disabled={!isReady}
							onConfirm={onRollBack}
						/>
					)}
				</Group>
			</Group>
			<Collapse expanded={isOpen} id={id}>
				<div style={{ paddingTop: "var(--mantine-spacing-sm)" }}>
					{isOpen && <Compared path={path} from={version - 1} to={version} />}
				</div>
			</Collapse>
		</Paper>
	);
}

/** What is different between two versions. */
export function Compared({ path, from, to }: { path: string; from: number; to: number }) {
	const { changes, problem } = useComparison(path, from, to);
	if (problem !== null) return <ProblemAlert problem={problem} />;
	if (changes === null) return <Loader size="sm" aria-label="Loading the versions" />;
	return (
		<ChangeList
			changes={changes}
			label={from === 0 ? `What version ${to} set` : `What changed from version ${from} to version ${to}`}
		/>
	);
}
