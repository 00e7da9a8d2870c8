import { Alert, Button, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { CircleCheck, GitMerge, History } from "lucide-react";
import { useState } from "react";
import type { PathVersionSummary } from "../../../routes/path-history.ts";
import { type Pages, usePages } from "../../api/pages.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { BringIntoView } from "./bring-into-view.tsx";
import { pathAddress } from "./path-address.ts";
import { type RollBack, useCurrent, useRollBack } from "./use-versions.ts";
import { VersionCompare } from "./version-compare.tsx";
import { Compared, VersionItem } from "./version-item.tsx";
import { authorText } from "./version-text.ts";

/** Yellow on white cannot be read. */
const TITLE = { title: { color: "var(--mantine-color-text)" } };

/** The versions of a path's configuration: what changed, and the way back. */
export function PathHistory({ path }: { path: string }) {
	const versions = usePages<PathVersionSummary>(`${pathAddress(path)}/history`);
	if (versions.problem !== null && versions.items === undefined) return <ProblemAlert problem={versions.problem} />;
	if (versions.items === undefined) return <Loader aria-label="Loading the history" />;
	if (versions.items.length === 0) {
		return (
			<EmptyState icon={History} title="No changes yet">
				Each change of the configuration becomes a version here, with who made it and when. Any of them can be taken
				back.
			</EmptyState>
		);
	}
	return <Versions key={path} path={path} pages={versions} items={versions.items} />;
}

type VersionsProps = { path: string; pages: Pages<PathVersionSummary>; items: readonly PathVersionSummary[] };

function Versions({ path, pages, items }: VersionsProps) {
	const current = useCurrent(path);
	const rollBack = useRollBack(path, current);
	const [told, setTold] = useState<{ to: number; result: RollBack } | null>(null);
	const [isComparing, setComparing] = useState(false);

	async function back(version: number) {
		setTold(null);
		const result = await rollBack.run({ version });
		if (result !== null) setTold({ to: version, result });
	}

	return (
		<Stack gap="md">
			<BringIntoView on={told ?? rollBack.problem}>
				{told !== null && <Told path={path} to={told.to} result={told.result} />}
				<ProblemAlert problem={rollBack.problem} />
			</BringIntoView>
			<Group justify="space-between">
				<Title order={2} size="h4">
					Versions
				</Title>
				{items.length > 1 && (
					<Button variant="default" size="xs" aria-expanded={isComparing} onClick={() => setComparing(!isComparing)}>
						{isComparing ? "Do not compare" : "Compare two"}
					</Button>
				)}
			</Group>
			{isComparing && <VersionCompare path={path} versions={items} />}
			<Stack component="ul" gap="xs" p={0} m={0} style={{ listStyle: "none" }}>
				{items.map((summary, index) => (
					<VersionItem
						key={summary.version}
						path={path}
						summary={summary}
						isCurrent={index === 0}
						isReady={current !== null}
						onRollBack={() => back(summary.version)}
					/>
				))}
			</Stack>
			{pages.hasMore && (
				<Group>
					<Button variant="default" loading={pages.isLoadingMore} onClick={pages.loadMore}>
						Show older versions
					</Button>
				</Group>
			)}
		</Stack>
	);
}

function Told({ path, to, result }: { path: string; to: number; result: RollBack }) {
	if ("version" in result) {
		return (
			<Alert color="teal" variant="outline" icon={<CircleCheck aria-hidden />} title={`Rolled back to version ${to}`}>
				That made version {result.version}. Nodes look for changes every three seconds and take this over within some
				seconds.
			</Alert>
		);
	}
	const { version } = result.conflict;
	return (
		<Alert
			color="yellow"
			variant="outline"
			icon={<GitMerge aria-hidden />}
			title="Somebody else changed it"
			styles={TITLE}
		>
			<Stack gap="xs">
				<Text size="sm">
					Nothing was rolled back: {version === null ? "somebody" : authorText(version.by)} made{" "}
					{version === null ? "a change" : `version ${version.version}`} in the meantime. From that to version {to}{" "}
					would change:
				</Text>
				{version !== null && <Compared path={path} from={version.version} to={to} />}
				<Text size="sm">Roll back again if that is still what you want.</Text>
			</Stack>
		</Alert>
	);
}
