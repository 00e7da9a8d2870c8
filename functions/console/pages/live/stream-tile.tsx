import { Anchor, Group, Paper, Stack, Text } from "@mantine/core";
import { Eye } from "lucide-react";
import { Link } from "wouter";
import { useCan } from "../../api/hooks.ts";
import { formatBits } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { warningTitle } from "../path/warning-title.ts";
import classes from "./live-page.module.css";
import { bitrateOf, codecNames, isWaiting, pictureOf, type Stream, sizeText } from "./stream.ts";
import { Thumbnail } from "./thumbnail.tsx";

/** One live stream on the wall; all of it leads to the page of its path. */
export function StreamTile({ stream }: { stream: Stream }) {
	const { path, health, node } = stream;
	const picture = pictureOf(stream);
	const mayWatch = useCan("manage", path);
	const viewers = health?.viewers.total ?? null;
	const facts = [codecNames(stream).join(" + "), picture === null ? "" : sizeText(picture)];
	return (
		<Paper component="article" withBorder radius="md" className={classes["tile"]} aria-label={path}>
			{mayWatch && <Thumbnail stream={stream} />}
			<Stack gap={4} p="sm" style={{ flex: 1 }}>
				<Group justify="space-between" wrap="nowrap" gap="xs" align="flex-start">
					<Anchor
						component={Link}
						href={`/paths/${path}`}
						className={classes["name"]}
						ff="monospace"
						fw={600}
						c="var(--mantine-color-text)"
						style={{ overflowWrap: "anywhere" }}
					>
						{path}
					</Anchor>
					{viewers !== null && (
						<Text component="span" size="sm" style={{ whiteSpace: "nowrap" }}>
							<Eye size={14} aria-hidden style={{ verticalAlign: "-2px" }} /> {viewers}{" "}
							{viewers === 1 ? "viewer" : "viewers"}
						</Text>
					)}
				</Group>
				<Text size="sm">
					{[...(isWaiting(stream) ? [] : [formatBits(bitrateOf(stream))]), ...facts]
						.filter((text) => text !== "")
						.join(" · ")}
				</Text>
				<Text size="xs" c="dimmed">
					{health !== null && (
						<>
							Began <RelativeTime at={health.since} />
							{node !== null && " on "}
						</>
					)}
					{node !== null && <span style={{ fontFamily: "var(--mantine-font-family-monospace)" }}>{node}</span>}
				</Text>
				{health !== null && (isWaiting(stream) || health.warnings.length > 0) && (
					<Group gap={6} mt={4}>
						{isWaiting(stream) && <StateBadge state="warning">Waiting for its publisher</StateBadge>}
						{health.warnings.map(({ code }) => (
							<StateBadge key={code} state="warning">
								{warningTitle(code)}
							</StateBadge>
						))}
					</Group>
				)}
			</Stack>
		</Paper>
	);
}
