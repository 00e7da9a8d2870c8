import { AreaChart } from "@mantine/charts";
import { formatBits } from "../../ui/format.ts";
import type { Figure } from "./figure-history.ts";

/** The bitrate since the page was opened. */
export function BitrateChart({ history, height }: { history: readonly Figure[]; height: number }) {
	const data = history.map(({ atMs, bitsPerSecond }) => ({
		at: new Date(atMs).toLocaleTimeString(),
		Bitrate: Math.round(bitsPerSecond),
	}));
	const rates = history.map(({ bitsPerSecond }) => bitsPerSecond);
	const words = `Bitrate from ${formatBits(Math.min(...rates))} to ${formatBits(Math.max(...rates))}`;
	return (
		<div role="img" aria-label={words}>
			<AreaChart
				h={height}
				data={data}
				dataKey="at"
				series={[{ name: "Bitrate", color: "cyan.6" }]}
				curveType="linear"
				withDots={false}
				valueFormatter={formatBits}
				yAxisProps={{ width: 90 }}
				areaChartProps={{ accessibilityLayer: false }}
				areaProps={{ isAnimationActive: false }}
			/>
		</div>
	);
}
