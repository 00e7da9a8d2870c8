import { Anchor, Badge, Group, Table, Text, VisuallyHidden } from "@mantine/core";
import { Link } from "wouter";
import type { PathDocument } from "../../../routes/paths.ts";
import { useChange } from "../../api/hooks.ts";
import { ConfirmButton } from "../../ui/confirm-button.tsx";
import { configurationOf, pathAddress } from "./path-address.ts";
import { summaryOf } from "./path-summary.ts";

/** The configured paths, one a row. */
export function PathTable({ paths }: { paths: readonly PathDocument[] }) {
	const removal = useChange((api, name: string) => api.send("DELETE", pathAddress(name)), {
		touches: ["/v1/paths"],
		done: "Deleted. Nodes take it within some seconds.",
	});
	return (
		<Table.ScrollContainer minWidth={560} type="native" pos="relative">
			<Table verticalSpacing="xs">
				<Table.Thead>
					<Table.Tr>
						<Table.Th scope="col">Path</Table.Th>
						<Table.Th scope="col">Comes from</Table.Th>
						<Table.Th scope="col">Set here</Table.Th>
						<Table.Th>
							<VisuallyHidden>Actions</VisuallyHidden>
						</Table.Th>
					</Table.Tr>
				</Table.Thead>
				<Table.Tbody>
					{paths.map((path) => (
						<PathRow key={path.name} path={path} onDelete={() => removal.run(path.name)} />
					))}
				</Table.Tbody>
			</Table>
		</Table.ScrollContainer>
	);
}

function PathRow({ path, onDelete }: { path: PathDocument; onDelete: () => unknown }) {
	const { source, others, marks, settings } = summaryOf(path);
	return (
		<Table.Tr>
			<Table.Th scope="row" fw={500} style={{ overflowWrap: "anywhere" }}>
				<Anchor component={Link} href={configurationOf(path.name)} ff="monospace" size="sm">
					{path.name}
				</Anchor>
			</Table.Th>
			<Table.Td>
				<Text size="sm" style={{ overflowWrap: "anywhere" }}>
					{source}
					{others > 0 && ` and ${others} more`}
				</Text>
				{marks.length > 0 && (
					<Group gap={4} mt={2}>
						{marks.map((mark) => (
							<Badge key={mark} variant="default" radius="sm" tt="none" fw={500} size="sm">
								{mark}
							</Badge>
						))}
					</Group>
				)}
			</Table.Td>
			<Table.Td style={{ whiteSpace: "nowrap" }}>{settings === 1 ? "1 setting" : `${settings} settings`}</Table.Td>
			<Table.Td ta="right">
				<ConfirmButton
					label="Delete"
					aria-label={`Delete the configuration of ${path.name}`}
					question={`Delete the configuration of ${path.name}? It has the defaults of the server then, and its history stays.`}
					onConfirm={onDelete}
				/>
			</Table.Td>
		</Table.Tr>
	);
}
