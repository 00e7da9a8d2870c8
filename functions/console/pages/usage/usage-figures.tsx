import { Paper, SimpleGrid, Text } from "@mantine/core";
import type { UsageReport } from "../../../routes/usage.ts";
import { formatBytes, formatMoney } from "../../ui/format.ts";
import { formatCount, formatHours } from "./usage-rows.ts";

const HOUR_S = 3_600;

/** The sums of a report. */
export function UsageFigures({ report: { total, prices } }: { report: UsageReport }) {
	const money = (amount: number) => formatMoney(amount, prices.currency);
	const { requests, storage, egress } = total.cost;
	const figures = [
		{
			label: "Cost, estimated",
			value: money(total.cost.total),
			detail: `requests ${money(requests)}, storage ${money(storage)}, egress ${money(egress)}`,
		},
		{
			label: "Bucket requests",
			value: formatCount(total.puts + total.gets),
			detail: `${formatCount(total.puts)} writes, ${formatCount(total.gets)} reads`,
		},
		{
			label: "Stored at the end",
			value: formatBytes(total.bytesStored),
			detail: `${formatBytes(total.bytesIn)} written in this time`,
		},
		{ label: "To viewers", value: formatBytes(total.bytesOut), detail: "from the functions and the nodes" },
		{ label: "Live", value: formatHours(total.secondsLive / HOUR_S), detail: "of all paths together" },
		{
			label: "Watched",
			value: formatHours(total.viewerSeconds / HOUR_S),
			detail: "by all viewers of HLS, an estimate",
		},
	];
	return (
		<SimpleGrid cols={{ base: 2, md: 3 }} spacing="sm">
			{figures.map(({ label, value, detail }) => (
				<Paper key={label} withBorder p="md">
					<Text size="sm" c="dimmed">
						{label}
					</Text>
					<Text size="xl" fw={600} style={{ fontVariantNumeric: "tabular-nums" }}>
						{value}
					</Text>
					<Text size="xs" c="dimmed">
						{detail}
					</Text>
				</Paper>
			))}
		</SimpleGrid>
	);
}
