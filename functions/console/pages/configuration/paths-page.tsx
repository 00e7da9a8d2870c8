import { Button, CloseButton, Group, Loader, Stack, Text, TextInput } from "@mantine/core";
import { Search, Settings2 } from "lucide-react";
import { useState } from "react";
import type { PathDocument } from "../../../routes/paths.ts";
import { type Pages, usePages } from "../../api/pages.ts";
import { Command } from "../../ui/command.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { PageHeader } from "../../ui/page-header.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { NewPath } from "./new-path.tsx";
import { pathsShown } from "./path-summary.ts";
import { PathTable } from "./path-table.tsx";

/** The paths that have a configuration of their own; of an operator, those in reach. */
export function PathsPage() {
	const paths = usePages<PathDocument>("/v1/paths");
	return (
		<>
			<PageHeader title="Paths">
				<NewPath known={new Set(paths.items?.map(({ name }) => name))} />
			</PageHeader>
			<ProblemAlert problem={paths.problem} />
			{paths.items === undefined ? (
				paths.problem === null && <Loader aria-label="Loading the paths" />
			) : paths.items.length === 0 && !paths.hasMore ? (
				<NoPaths />
			) : (
				<PathList paths={paths} items={paths.items} />
			)}
		</>
	);
}

function PathList({ paths, items }: { paths: Pages<PathDocument>; items: readonly PathDocument[] }) {
	const [query, setQuery] = useState("");
	const shown = pathsShown(items, query);
	return (
		<Stack gap="sm">
			<TextInput
				aria-label="Filter the paths"
				placeholder="Filter by name or source"
				maw={420}
				value={query}
				onChange={(event) => setQuery(event.currentTarget.value)}
				leftSection={<Search size={16} aria-hidden />}
				rightSection={
					query !== "" && <CloseButton size="sm" aria-label="Clear the filter" onClick={() => setQuery("")} />
				}
			/>
			<Text size="sm" c="dimmed">
				{query === "" ? `${items.length} configured` : `${shown.length} of ${items.length}`}
				{paths.hasMore && ", and more that are not loaded yet"}
			</Text>
			{shown.length > 0 && <PathTable paths={shown} />}
			{paths.hasMore && (
				<Group>
					<Button variant="default" loading={paths.isLoadingMore} onClick={paths.loadMore}>
						Load more
					</Button>
				</Group>
			)}
		</Stack>
	);
}

function NoPaths() {
	return (
		<EmptyState icon={Settings2} title="No path has a configuration of its own">
			<Stack gap="sm">
				<Text>
					Streams work without one, with the defaults of the server. Make a path to pull from a camera, to keep more of
					a stream, or to forward it. With the API:
				</Text>
				<Command label="Make a path with the API">
					{`curl -X PUT ${location.origin}/v1/paths/cam01 \\
  -H "authorization: Bearer $KEY" -H "content-type: application/json" \\
  -d '{"source": "rtsp://camera.example:554/stream"}'`}
				</Command>
			</Stack>
		</EmptyState>
	);
}
