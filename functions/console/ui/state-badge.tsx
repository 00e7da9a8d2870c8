import { Badge } from "@mantine/core";
import { Circle, CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

const LOOKS = {
	good: { color: "teal", Icon: CircleCheck },
	warning: { color: "yellow", Icon: TriangleAlert },
	bad: { color: "red", Icon: CircleX },
	idle: { color: "gray", Icon: Circle },
} as const;

/** How something fares: by shape and word, and by colour besides. */
export function StateBadge({ state, children }: { state: keyof typeof LOOKS; children: ReactNode }) {
	const { color, Icon } = LOOKS[state];
	return (
		<Badge
			variant="default"
			radius="sm"
			tt="none"
			fw={500}
			miw="max-content"
			leftSection={<Icon size={12} aria-hidden color={`var(--mantine-color-${color}-text)`} />}
		>
			{children}
		</Badge>
	);
}
