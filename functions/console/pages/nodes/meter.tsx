import { Group, Text } from "@mantine/core";
import classes from "./meter.module.css";

export type MeterProps = {
	readonly label: string;
	/** 0 to 1; `null`: of nothing, and no bar. */
	readonly share: number | null;
	/** The figure with its unit. */
	readonly text: string;
	/** What the share is of, for screen readers: `of all nodes`. */
	readonly of: string;
	/** Above it the bar is red. */
	readonly high?: number;
};

/** A figure, and a bar that shows how much of the whole it is. */
export function Meter({ label, share, text, of, high = 1 }: MeterProps) {
	const value = share === null ? null : Math.min(1, Math.max(0, share));
	return (
		<div>
			<Group justify={value === null ? "flex-start" : "space-between"} gap="xs" wrap="nowrap" mb={4}>
				<Text size="xs" c="dimmed">
					{label}
				</Text>
				<Text size="xs" fw={500} style={{ fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" }}>
					{text}
				</Text>
			</Group>
			{value !== null && (
				<div className={classes["track"]}>
					<svg className={classes["drawing"]} viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden>
						<rect width={value * 100} height={1} className={classes[value > high ? "high" : "bar"]} />
					</svg>
					<meter
						aria-label={label}
						aria-valuetext={`${text}, ${Math.round(value * 100)} % ${of}`}
						value={value}
						className={classes["meter"]}
					/>
				</div>
			)}
		</div>
	);
}
