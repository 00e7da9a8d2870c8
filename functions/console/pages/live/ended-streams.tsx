import { Anchor, Box, Table, Title } from "@mantine/core";
import { Link } from "wouter";
import { useResource } from "../../api/hooks.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import type { StreamPage } from "./stream.ts";

/** Each time costs reads of the bucket, and comings and goings among those that ended are rare. */
const POLL_MS = 60_000;
const MAX_SHOWN = 8;

/** The streams that ended last; nothing while there are none. */
export function EndedStreams() {
	const { data } = useResource<StreamPage>("/v1/streams?live=false", { pollMs: POLL_MS });
	const ended = (data?.items ?? [])
		.flatMap(({ committedAt, live, path }) => (live || committedAt === null ? [] : [{ path, committedAt }]))
		.toSorted((a, b) => Date.parse(b.committedAt) - Date.parse(a.committedAt))
		.slice(0, MAX_SHOWN);
	if (ended.length === 0) return null;
	return (
		<Box component="section" mt="xl" aria-labelledby="ended">
			<Title order={2} size="h4" mb="xs" id="ended">
				Ended recently
			</Title>
			<Table>
				<Table.Thead>
					<Table.Tr>
						<Table.Th>Path</Table.Th>
						<Table.Th>Last picture or sound</Table.Th>
					</Table.Tr>
				</Table.Thead>
				<Table.Tbody>
					{ended.map(({ path, committedAt }) => (
						<Table.Tr key={path}>
							<Table.Td>
								<Anchor component={Link} href={`/paths/${path}`} ff="monospace">
									{path}
								</Anchor>
							</Table.Td>
							<Table.Td>
								<RelativeTime at={committedAt} />
							</Table.Td>
						</Table.Tr>
					))}
				</Table.Tbody>
			</Table>
		</Box>
	);
}
