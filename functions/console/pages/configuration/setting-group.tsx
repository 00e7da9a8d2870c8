import { Accordion, Badge, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { GROUPS } from "./field-group.ts";
import classes from "./setting-row.module.css";

/** A heading of the form, with what is set and what is wrong under it. What is closed is not drawn. */
export function SettingGroup(props: {
	group: (typeof GROUPS)[number];
	isOpen: boolean;
	set: number;
	faulty: number;
	warned: number;
	children: () => ReactNode;
}) {
	const { group, isOpen, set, faulty, warned, children } = props;
	return (
		<Accordion.Item value={group.id}>
			<Accordion.Control>
				<Group gap="xs">
					<Text span fw={600}>
						{group.title}
					</Text>
					{set > 0 && (
						<Badge variant="light" radius="sm" tt="none" fw={500}>
							{set} set
						</Badge>
					)}
					{faulty > 0 && (
						<Badge variant="outline" color="red" radius="sm" tt="none" fw={500} className={classes["unsaved"]}>
							{faulty} not right
						</Badge>
					)}
					{warned > 0 && (
						<Badge variant="outline" color="yellow" radius="sm" tt="none" fw={500} className={classes["unsaved"]}>
							{warned} to look at
						</Badge>
					)}
				</Group>
				<Text size="sm" c="dimmed">
					{group.description}
				</Text>
			</Accordion.Control>
			<Accordion.Panel>{isOpen && children()}</Accordion.Panel>
		</Accordion.Item>
	);
}
