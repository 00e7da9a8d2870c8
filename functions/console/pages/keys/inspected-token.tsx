import { Code, Group, Stack, Text } from "@mantine/core";
import type { InspectedToken } from "../../../routes/tokens.ts";
import { KeyValue } from "../../ui/key-value.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";

/** What the functions say of a token. */
export function InspectedTokenFacts({ inspected }: { inspected: InspectedToken }) {
	const { valid, detail, verified, subject, tokenId, expiresAt, issuedAt, permissions = [], limits = {} } = inspected;
	const items = [
		{ label: "For", value: subject === "" ? "nobody in particular" : subject },
		{ label: "Id", value: tokenId === "" ? "none" : <Code>{tokenId}</Code> },
		...(issuedAt === undefined ? [] : [{ label: "Made", value: <RelativeTime at={issuedAt} /> }]),
		{ label: "Ends", value: expiresAt === null ? "unknown" : <RelativeTime at={expiresAt} /> },
		...permissions.map(({ action, path }) => ({
			label: `May ${action}`,
			value: path === "" ? "every path" : <Code>{path}</Code>,
		})),
		...Object.entries(limits).map(([limit, value]) => ({
			label: `Limit: ${limit}`,
			value: Array.isArray(value) ? value.join(", ") : String(value),
		})),
	];
	return (
		<Stack gap="sm">
			<Group gap="xs">
				<StateBadge state={valid ? "good" : "bad"}>{valid ? "good" : "worth nothing"}</StateBadge>
				{detail !== "" && <Text size="sm">{detail}</Text>}
			</Group>
			{!verified && (
				<Text size="sm" c="dimmed">
					No key of ours vouches for what follows: it is only what the token says of itself.
				</Text>
			)}
			<KeyValue items={items} />
		</Stack>
	);
}
