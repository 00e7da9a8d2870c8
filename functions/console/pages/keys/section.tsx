import { Paper, Stack, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** One thing to do or to see on the page, with its heading. */
export function Section({ title, children }: { title: string; children: ReactNode }) {
	return (
		<Paper component="section" withBorder p="md" aria-label={title}>
			<Stack>
				<Title order={2} size="h4">
					{title}
				</Title>
				{children}
			</Stack>
		</Paper>
	);
}
