import { Group, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

/** The heading of a page, which is its title in the browser too; at the right what can be done there. */
export function PageHeader({ title, children }: { title: string; children?: ReactNode }) {
	useDocumentTitle(`${title} · Sluice`);
	return (
		<Group justify="space-between" align="center" mb="md" gap="sm">
			<Title order={1} size="h2" style={{ overflowWrap: "anywhere" }}>
				{title}
			</Title>
			{children !== undefined && <Group gap="xs">{children}</Group>}
		</Group>
	);
}
