import { Loader, NativeSelect, Stack, Text, Title } from "@mantine/core";
import { Coins } from "lucide-react";
import { lazy, Suspense } from "react";
import { useSearchParams } from "wouter";
import type { UsageReport } from "../../../routes/usage.ts";
import { useResource } from "../../api/hooks.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { PageHeader } from "../../ui/page-header.tsx";
import { ProblemAlert } from "../../ui/problem-alert.tsx";
import { RoleGate } from "../../ui/role-gate.tsx";
import { DownloadCsv } from "./download-csv.tsx";
import { daysOf, isPeriod, PERIODS, type Period } from "./period.ts";
import { PricesUsed } from "./prices-used.tsx";
import { UsageFigures } from "./usage-figures.tsx";
import { rowsOf } from "./usage-rows.ts";
import { UsageTable } from "./usage-table.tsx";

const CostChart = lazy(async () => ({ default: (await import("./cost-chart.tsx")).CostChart }));
const POLL_MS = 60_000;

/** What paths used in a period, and what that costs. */
export function UsagePage() {
	return (
		<RoleGate needs="manage" title="Usage and cost">
			<Usage />
		</RoleGate>
	);
}

function Usage() {
	const [search, setSearch] = useSearchParams();
	const asked = search.get("period");
	const period: Period = isPeriod(asked) ? asked : "days30";
	const { from, to } = daysOf(period, Date.now());
	const { data, problem, isLoading } = useResource<UsageReport>(`/v1/usage?from=${from}&to=${to}`, { pollMs: POLL_MS });
	return (
		<>
			<PageHeader title="Usage and cost">
				<NativeSelect
					aria-label="Period"
					data={Object.entries(PERIODS).map(([value, label]) => ({ value, label }))}
					value={period}
					onChange={({ currentTarget: { value } }) => setSearch({ period: value }, { replace: true })}
				/>
				{data !== undefined && <DownloadCsv report={data} />}
			</PageHeader>
			<Stack gap="lg">
				<ProblemAlert problem={problem} />
				{isLoading && <Loader aria-label="Loading the usage" />}
				{data !== undefined && <Report report={data} />}
			</Stack>
		</>
	);
}

function Report({ report }: { report: UsageReport }) {
	const rows = rowsOf(report);
	const { days, prices, from, to } = report;
	return (
		<>
			<Text c="dimmed" size="sm">
				{from === to ? from : `${from} to ${to}`}, days of UTC
			</Text>
			{rows.length === 0 ? (
				<EmptyState icon={Coins} title="Nothing was used in this time">
					As soon as somebody publishes, what it takes stands here within minutes: requests, storage and traffic, by
					path and by day.
				</EmptyState>
			) : (
				<>
					<UsageFigures report={report} />
					{days.length > 1 && report.total.cost.total > 0 && (
						<section aria-label="Cost by day">
							<Title order={2} size="h4" mb="sm">
								Cost by day
							</Title>
							<Suspense fallback={<Loader aria-label="Loading the chart" />}>
								<CostChart days={days} currency={prices.currency} />
							</Suspense>
						</section>
					)}
					<section aria-label="Usage by path">
						<Title order={2} size="h4" mb="xs">
							By path
						</Title>
						<UsageTable rows={rows} currency={prices.currency} />
					</section>
				</>
			)}
			<PricesUsed prices={prices} />
		</>
	);
}
