import { Group, Loader, SegmentedControl, Stack, Text } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { useCan } from "../../api/hooks.ts";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { BringIntoView } from "./bring-into-view.tsx";
import { ConflictPanel } from "./conflict-panel.tsx";
import { groupOf } from "./field-group.ts";
import { LeaveDialog } from "./leave-dialog.tsx";
import { SaveBar } from "./save-bar.tsx";
import { SettingForm } from "./setting-form.tsx";
import { settingId } from "./setting-row.tsx";
import { useLeaveGuard } from "./use-leave-guard.ts";
import { type PathDraft, usePathDraft } from "./use-path-draft.ts";

const TextView = lazy(async () => ({ default: (await import("./text-view.tsx")).TextView }));

/** The configuration of a path: a form made from the schema, or text. */
export function PathConfiguration({ path }: { path: string }) {
	return <Configuration key={path} path={path} />;
}

function Configuration({ path }: { path: string }) {
	const draft = usePathDraft(path);
	if (draft.loadProblem !== null) return <ProblemAlert problem={draft.loadProblem} />;
	if (draft.base === null) return <Loader aria-label="Loading the configuration" />;
	return <Editor state={draft} base={draft.base} />;
}

function Editor({ state, base }: { state: PathDraft; base: NonNullable<PathDraft["base"]> }) {
	const mayCommand = useCan("api");
	const [view, setView] = useState("form");
	const [isReadable, setReadable] = useState(true);
	const [open, setOpen] = useState<readonly string[]>(() => [
		...new Set(["source", ...Object.keys(base.overrides).map(groupOf)]),
	]);
	const guard = useLeaveGuard(state.changes.length > 0);

	function show(key: string) {
		setView("form");
		setOpen([...new Set([...open, groupOf(key)])]);
		// After the heading has opened.
		requestAnimationFrame(() => requestAnimationFrame(() => focusSetting(key)));
	}

	return (
		<Stack gap="md">
			<Group justify="space-between" gap="sm">
				<Text size="sm" c="dimmed" flex="1 1 16rem">
					{base.isConfigured
						? "What you set here overrides the server's defaults."
						: "This path follows the server's defaults. Set what shall be different."}
				</Text>
				<SegmentedControl
					size="xs"
					aria-label="View"
					value={view}
					onChange={setView}
					data={[
						{ value: "form", label: "Form" },
						{ value: "text", label: "Text" },
					]}
				/>
			</Group>
			<BringIntoView on={state.conflict ?? state.saveProblem}>
				{state.conflict !== null && (
					<ConflictPanel
						base={base.overrides}
						mine={state.draft}
						conflict={state.conflict}
						onTakeTheirs={state.takeTheirs}
						onStartAgain={state.startAgain}
					/>
				)}
				<ProblemAlert problem={state.saveProblem} />
			</BringIntoView>
			{view === "form" ? (
				<SettingForm
					key={state.generation}
					base={base}
					draft={state.draft}
					changedKeys={new Set(state.changes.map(({ key }) => key))}
					faults={state.faults}
					warnings={state.warnings}
					mayCommand={mayCommand}
					open={open}
					onOpen={setOpen}
					onChange={state.change}
				/>
			) : (
				<Suspense fallback={<Loader aria-label="Loading the text" />}>
					<TextView overrides={state.draft} onChange={state.replace} onReadable={setReadable} />
				</Suspense>
			)}
			<SaveBar
				changes={state.changes}
				isNew={!base.isConfigured}
				faults={state.faults}
				held={
					state.conflict !== null
						? "Somebody else changed it: choose above how to go on."
						: view === "text" && !isReadable
							? "The text cannot be read."
							: null
				}
				isSaving={state.isSaving}
				isSaved={state.isSaved}
				onSave={() => void state.save()}
				onDiscard={state.discard}
				onShow={show}
			/>
			<LeaveDialog guard={guard} count={state.changes.length} />
		</Stack>
	);
}

/** What cannot be changed has no focus, and is shown all the same. */
function focusSetting(key: string) {
	const input = document.getElementById(settingId(key));
	input?.scrollIntoView({ block: "center" });
	input?.focus({ preventScroll: true });
}
