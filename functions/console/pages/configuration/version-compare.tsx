import { NativeSelect, Paper, SimpleGrid, Stack } from "@mantine/core";
import { useState } from "react";
import type { PathVersionSummary } from "../../../routes/path-history.ts";
import { Compared } from "./version-item.tsx";
import { actionText, authorText } from "./version-text.ts";

/** Any two versions side by side. */
export function VersionCompare({ path, versions }: { path: string; versions: readonly PathVersionSummary[] }) {
	const newest = versions[0]?.version ?? 1;
	const [chosen, setChosen] = useState<{ from: number | null; to: number | null }>({ from: null, to: null });
	const from = chosen.from ?? newest - 1;
	const to = chosen.to ?? newest;
	const data = versions.map((summary) => ({
		value: String(summary.version),
		label: `${summary.version}: ${actionText(summary)}, ${authorText(summary.by)}, ${new Date(summary.at).toLocaleString()}`,
	}));
	return (
		<Paper withBorder p="sm">
			<Stack gap="sm">
				<SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
					<NativeSelect
						label="From version"
						value={String(from)}
						data={data}
						onChange={(event) => setChosen({ ...chosen, from: Number(event.currentTarget.value) })}
					/>
					<NativeSelect
						label="To version"
						value={String(to)}
						data={data}
						onChange={(event) => setChosen({ ...chosen, to: Number(event.currentTarget.value) })}
					/>
				</SimpleGrid>
				<Compared path={path} from={from} to={to} />
			</Stack>
		</Paper>
	);
}
