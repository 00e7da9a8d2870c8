import { Anchor, Stack } from "@mantine/core";
import { Compass } from "lucide-react";
import { Link } from "wouter";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHeader } from "../ui/page-header.tsx";

export function NotFound() {
	return (
		<Stack gap={0}>
			<PageHeader title="Not found" />
			<EmptyState icon={Compass} title="There is no page at this address">
				<Anchor component={Link} href="/">
					See what is live
				</Anchor>
			</EmptyState>
		</Stack>
	);
}
