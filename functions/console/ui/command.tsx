import { ActionIcon, Box, Code, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy } from "lucide-react";

/** A command to run, with a button to copy it. `label` says what it does, for screen readers. */
export function Command({ label, children }: { label: string; children: string }) {
	const { copy, copied } = useClipboard({ timeout: 2000 });
	const says = copied ? "Copied" : `Copy: ${label}`;
	return (
		<Box pos="relative" ta="left">
			<Code block tabIndex={0} role="region" aria-label={label} pr={44} style={{ whiteSpace: "pre-wrap" }}>
				{children}
			</Code>
			<Tooltip label={says}>
				<ActionIcon
					variant="subtle"
					color={copied ? "teal" : "gray"}
					aria-label={says}
					pos="absolute"
					top={4}
					right={4}
					onClick={() => copy(children)}
				>
					{copied ? <Check size={16} /> : <Copy size={16} />}
				</ActionIcon>
			</Tooltip>
		</Box>
	);
}
