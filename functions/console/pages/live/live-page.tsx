import { Button, Group, Loader, Select, Text, TextInput, VisuallyHidden } from "@mantine/core";
import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useCan, useResource } from "../../api/hooks.ts";
import { PageHeader } from "../../ui/page-header.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { EndedStreams } from "./ended-streams.tsx";
import { FirstPublish } from "./first-publish.tsx";
import classes from "./live-page.module.css";
import type { StreamPage } from "./stream.ts";
import { StreamTile } from "./stream-tile.tsx";
import { arranged, newsOf, ORDERS, type Order } from "./wall-order.ts";

const POLL_MS = 3_000;
const ORDER_NAMES: Readonly<Record<Order, string>> = {
	name: "By name",
	viewers: "Most viewers first",
	bitrate: "Highest bitrate first",
	trouble: "Trouble first",
};

/** Every live stream, each as a tile. */
export function LivePage() {
	const [cursor, setCursor] = useState<string | null>(null);
	const after = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
	const { data, problem, isLoading } = useResource<StreamPage>(`/v1/streams?live=true${after}`, { pollMs: POLL_MS });
	const mayWatch = useCan("manage");
	const [filter, setFilter] = useState("");
	const [order, setOrder] = useState<Order>("name");
	const live = (data?.items ?? []).filter((stream) => stream.live);
	const shown = arranged(live, filter, order);
	const news = useNews(data === undefined ? null : live.map(({ path }) => path));
	const isPartial = cursor !== null || (data?.next ?? null) !== null;

	return (
		<>
			<PageHeader title="Live">
				<Text c="dimmed">{data === undefined ? "" : countText(live.length, isPartial)}</Text>
			</PageHeader>
			<VisuallyHidden>{news}</VisuallyHidden>
			<ProblemAlert problem={problem} />
			{isLoading && <Loader aria-label="Asking for the streams" />}
			{data !== undefined && live.length === 0 && !isPartial && <FirstPublish />}
			{(live.length > 1 || isPartial || filter !== "") && (
				<Group mb="md" gap="sm" wrap="nowrap">
					<TextInput
						aria-label="Filter by name"
						placeholder="Filter by name"
						type="search"
						leftSection={<Search size={16} aria-hidden />}
						value={filter}
						onChange={(event) => setFilter(event.currentTarget.value)}
						style={{ flex: "1 1 140px", maxWidth: 320 }}
					/>
					<Select
						aria-label="Order"
						value={order}
						allowDeselect={false}
						data={ORDERS.map((value) => ({ value, label: ORDER_NAMES[value] }))}
						onChange={(value) => setOrder(ORDERS.find((known) => known === value) ?? "name")}
						style={{ flex: "1 1 140px", maxWidth: 220 }}
					/>
				</Group>
			)}
			{!mayWatch && live.length > 0 && (
				<Text size="sm" c="dimmed" mb="md">
					Your key shows how streams fare. To watch them takes a key of an operator.
				</Text>
			)}
			{live.length > 0 && shown.length === 0 && <Text>No live stream has “{filter}” in its name.</Text>}
			<ul className={classes["wall"]} aria-label="Live streams">
				{shown.map((stream) => (
					<li key={stream.path}>
						<StreamTile stream={stream} />
					</li>
				))}
			</ul>
			{isPartial && (
				<Group mt="md">
					<Button variant="default" disabled={cursor === null} onClick={() => setCursor(null)}>
						First streams
					</Button>
					<Button variant="default" disabled={!data?.next} onClick={() => setCursor(data?.next ?? null)}>
						Next streams
					</Button>
				</Group>
			)}
			<EndedStreams />
		</>
	);
}

function countText(count: number, isPartial: boolean): string {
	return `${count} ${count === 1 ? "stream" : "streams"}${isPartial ? " on this page" : ""}`;
}

/** What changed since the last poll. `null`: nothing is known yet, so that the first streams are no news. */
function useNews(paths: readonly string[] | null): string {
	const known = useRef<readonly string[] | null>(null);
	const [news, setNews] = useState("");
	const key = paths?.join("\n") ?? null;
	useEffect(() => {
		if (key === null) return;
		const now = key === "" ? [] : key.split("\n");
		if (known.current !== null) {
			const text = newsOf(known.current, now);
			if (text !== "") setNews(text);
		}
		known.current = now;
	}, [key]);
	return news;
}
