import { Loader, Tabs } from "@mantine/core";
import { Lock } from "lucide-react";
import { lazy, Suspense, useEffect, useRef } from "react";
import { useSearchParams } from "wouter";
import { segment } from "../../api/client.ts";
import { useCan, useResource } from "../../api/hooks.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import type { Stream } from "../live/stream.ts";
import { ConnectTab } from "./connect-tab.tsx";
import { EventsTab } from "./events-tab.tsx";
import { HealthTab } from "./health-tab.tsx";
import { PathHeader } from "./path-header.tsx";
import { useFigureHistory } from "./use-figure-history.ts";
import { ViewersTab } from "./viewers-tab.tsx";
import { WatchTab } from "./watch-tab.tsx";

const PathConfiguration = lazy(async () => ({
	default: (await import("../configuration/path-configuration.tsx")).PathConfiguration,
}));
const PathHistory = lazy(async () => ({ default: (await import("../configuration/path-history.tsx")).PathHistory }));

const POLL_MS = 3_000;
/** So much of the next tab shows that there is one. */
const NEXT_TAB_PX = 40;
const TABS = [
	{ value: "watch", label: "Watch", needs: "manage" },
	{ value: "connect", label: "Connect", needs: "manage" },
	{ value: "events", label: "Events", needs: "view" },
	{ value: "health", label: "Health", needs: "view" },
	{ value: "viewers", label: "Viewers", needs: "view" },
	{ value: "configuration", label: "Configuration", needs: "manage" },
	{ value: "history", label: "History", needs: "manage" },
] as const;

/** Everything about one path. */
export function PathPage({ path }: { path: string }) {
	const [search, setSearch] = useSearchParams();
	const mayManage = useCan("manage", path);
	const address = `/v1/streams/${segment(path)}`;
	const { data: stream, problem } = useResource<Stream>(address, { pollMs: POLL_MS });
	const history = useFigureHistory(stream);
	const tabs = TABS.filter(({ needs }) => needs === "view" || mayManage);
	const first = tabs[0]?.value ?? "events";
	const tab = tabs.find(({ value }) => value === search.get("tab"))?.value ?? first;
	// A path that nobody has published to is no fault: its page says how to.
	const isNew = problem?.status === 404;
	const shown = isNew ? undefined : stream;
	const list = useRef<HTMLDivElement>(null);
	// On a phone the tabs are wider than the window: the one that is open shall be seen.
	useEffect(() => {
		const { current } = list;
		const open = current?.querySelector(`[role="tab"][data-value="${tab}"]`);
		if (!current || !open) return;
		const beyond = open.getBoundingClientRect().right - current.getBoundingClientRect().right;
		if (beyond > 0) current.scrollBy({ left: beyond + NEXT_TAB_PX });
	}, [tab]);

	if (problem?.status === 403) {
		return (
			<>
				<PathHeader path={path} stream={undefined} isNew={false} />
				<EmptyState icon={Lock} title="Your key does not open this path">
					It is for other paths. Sign in with another key, or ask an administrator for one that has this path.
				</EmptyState>
			</>
		);
	}

	return (
		<>
			<PathHeader path={path} stream={shown} isNew={isNew} />
			<ProblemAlert problem={isNew ? null : problem} />
			<Tabs
				value={tab}
				keepMounted={false}
				onChange={(value) => setSearch(value === first || value === null ? {} : { tab: value }, { replace: true })}
			>
				<Tabs.List ref={list} mb="md" style={{ overflowX: "auto", flexWrap: "nowrap" }}>
					{tabs.map(({ value, label }) => (
						<Tabs.Tab key={value} value={value} data-value={value} style={{ flexShrink: 0 }}>
							{label}
						</Tabs.Tab>
					))}
				</Tabs.List>
				<Suspense fallback={<Loader aria-label="Loading the tab" />}>
					<Tabs.Panel value="watch">
						<WatchTab key={path} path={path} isNew={isNew} />
					</Tabs.Panel>
					<Tabs.Panel value="connect" keepMounted>
						<ConnectTab key={path} path={path} />
					</Tabs.Panel>
					<Tabs.Panel value="events">
						<EventsTab key={path} path={path} />
					</Tabs.Panel>
					<Tabs.Panel value="health">
						<HealthTab stream={shown} history={history} />
					</Tabs.Panel>
					<Tabs.Panel value="viewers">
						<ViewersTab path={path} stream={shown} />
					</Tabs.Panel>
					<Tabs.Panel value="configuration">
						<PathConfiguration path={path} />
					</Tabs.Panel>
					<Tabs.Panel value="history">
						<PathHistory path={path} />
					</Tabs.Panel>
				</Suspense>
			</Tabs>
		</>
	);
}
