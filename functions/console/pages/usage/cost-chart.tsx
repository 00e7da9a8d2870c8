import { BarChart } from "@mantine/charts";
import { VisuallyHidden } from "@mantine/core";
import type { UsageReport } from "../../../routes/usage.ts";
import { formatMoney } from "../../ui/format.ts";

const SERIES = [
	{ name: "requests", label: "Requests", color: "cyan.7" },
	{ name: "storage", label: "Storage", color: "orange.6" },
	{ name: "egress", label: "Egress", color: "grape.5" },
];

/** What each day costs, and what for. */
export function CostChart({ days, currency }: { days: UsageReport["days"]; currency: string }) {
	const money = (amount: number) => formatMoney(amount, currency);
	return (
		<>
			<div aria-hidden>
				<BarChart
					h={260}
					type="stacked"
					data={days.map(({ date, cost }) => ({ date: date.slice(5), ...cost }))}
					dataKey="date"
					series={SERIES}
					valueFormatter={money}
					withLegend
					legendProps={{ verticalAlign: "bottom" }}
					yAxisProps={{ width: 80 }}
					maxBarWidth={40}
					barChartProps={{ accessibilityLayer: false }}
					barProps={{ isAnimationActive: false }}
				/>
			</div>
			<VisuallyHidden>
				<table>
					<caption>Cost by day</caption>
					<thead>
						<tr>
							<th scope="col">Day</th>
							{SERIES.map(({ name, label }) => (
								<th key={name} scope="col">
									{label}
								</th>
							))}
						</tr>
					</thead>
					<tbody>
						{days.map(({ date, cost }) => (
							<tr key={date}>
								<th scope="row">{date}</th>
								<td>{money(cost.requests)}</td>
								<td>{money(cost.storage)}</td>
								<td>{money(cost.egress)}</td>
							</tr>
						))}
					</tbody>
				</table>
			</VisuallyHidden>
		</>
	);
}
