import { Paper, Stack, Text, Title } from "@mantine/core";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

/** What stands where a list has nothing yet, and what to do next. */
export function EmptyState(props: { icon: LucideIcon; title: string; children?: ReactNode; action?: ReactNode }) {
	const { icon: Icon, title, children, action } = props;
	return (
		<Paper withBorder px="md" py={{ base: "md", sm: "xl" }} radius="md">
			<Stack align="center" gap="sm" maw={640} mx="auto">
				<Icon size={32} strokeWidth={1.5} aria-hidden />
				<Title order={2} size="h4" ta="center">
					{title}
				</Title>
				<Text component="div" ta="center" c="dimmed" w="100%">
					{children}
				</Text>
				{action}
			</Stack>
		</Paper>
	);
}
