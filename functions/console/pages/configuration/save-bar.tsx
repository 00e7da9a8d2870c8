import { Button, Group, Modal, Paper, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { CircleCheck } from "lucide-react";
import { ChangeList } from "./change-list.tsx";
import { type Change, changesText } from "./draft.ts";
import type { Faults } from "./field-fault.ts";
import classes from "./save-bar.module.css";

type SaveBarProps = {
	readonly changes: readonly Change[];
	/** There is no document yet: saving makes one, also without changes. */
	readonly isNew: boolean;
	readonly faults: Faults;
	/** Why it cannot be saved besides faults; `null` when it can. */
	readonly held: string | null;
	readonly isSaving: boolean;
	/** It has just been saved. */
	readonly isSaved: boolean;
	readonly onSave: () => void;
	readonly onDiscard: () => void;
	/** Goes to the setting. */
	readonly onShow: (key: string) => void;
};

/** What is not saved yet, at the bottom of the window. */
export function SaveBar(props: SaveBarProps) {
	const { changes, isNew, faults, held, isSaving, isSaved, onSave, onDiscard, onShow } = props;
	const [isOpen, { open, close }] = useDisclosure(false);
	if (changes.length === 0 && !isNew) return <SavedNote isSaved={isSaved} />;
	const [faulty] = faults.keys();
	return (
		<Paper
			withBorder
			shadow="md"
			p="sm"
			radius="md"
			className={classes["bar"]}
			role="region"
			aria-label="Unsaved changes"
		>
			<Group justify="space-between" gap="xs">
				<div aria-live="polite" className={classes["words"]}>
					{changes.length === 0 ? (
						<Text size="sm">Not saved yet. What you do not set follows the defaults.</Text>
					) : (
						<Button variant="subtle" size="compact-sm" onClick={open}>
							{changesText(changes.length)}
						</Button>
					)}
					{faulty !== undefined && (
						<Button variant="subtle" color="red" size="compact-sm" onClick={() => onShow(faulty)}>
							{faults.size === 1 ? `${faulty} is not right` : `${faults.size} settings are not right`}
						</Button>
					)}
					{held !== null && <Text size="sm">{held}</Text>}
				</div>
				<Group gap="xs">
					{changes.length > 0 && (
						<Button variant="default" size="sm" onClick={onDiscard} disabled={isSaving}>
							Discard
						</Button>
					)}
					<Button size="sm" onClick={onSave} loading={isSaving} disabled={faulty !== undefined || held !== null}>
						{isNew ? "Make the path" : "Save"}
					</Button>
				</Group>
			</Group>
			<Modal
				opened={isOpen}
				onClose={close}
				title={`${changesText(changes.length)}, not saved`}
				size="lg"
				closeButtonProps={{ "aria-label": "Close" }}
			>
				<ChangeList changes={changes} label="Unsaved changes" />
			</Modal>
		</Paper>
	);
}

/** What saving means for the nodes, where the bar was. */
function SavedNote({ isSaved }: { isSaved: boolean }) {
	return (
		<div className={isSaved ? classes["bar"] : undefined} role="status">
			{isSaved && (
				<Paper withBorder shadow="md" p="sm" radius="md">
					<Group gap="xs" wrap="nowrap">
						<CircleCheck size={18} aria-hidden className={classes["good"]} />
						<Text size="sm">
							Saved. Nodes look for changes every three seconds and take this over within some seconds.
						</Text>
					</Group>
				</Paper>
			)}
		</div>
	);
}
