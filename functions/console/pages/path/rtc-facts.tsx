import { SimpleGrid } from "@mantine/core";
import type { RtcFigures } from "../../player/rtc-figures.ts";
import { formatBits } from "../../ui/format.ts";
import { KeyValue } from "../../ui/key-value.tsx";

/** What the browser counts of its connection, for who looks for a fault. */
export function RtcFacts({ figures }: { figures: RtcFigures }) {
	const { bitsPerSecond, codecs, delayMs, frames, framesPerSecond, freezes, loss, roundTripMs, size } = figures;
	const each = framesPerSecond === null ? "" : `, ${Math.round(framesPerSecond)} each second`;
	return (
		<SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl" verticalSpacing="sm">
			<KeyValue
				items={[
					{ label: "Behind the node", value: milliseconds(delayMs) },
					{ label: "Round trip", value: milliseconds(roundTripMs) },
					{ label: "Packets lost", value: `${(loss * 100).toFixed(1)} %` },
				]}
			/>
			<KeyValue
				items={[
					{ label: "Bitrate", value: formatBits(bitsPerSecond) },
					{ label: "Picture", value: [size, codecs.join(" + ")].filter((text) => text).join(" · ") || "—" },
					{ label: "Frames", value: `${frames} decoded${each}; ${freezes} freezes` },
				]}
			/>
		</SimpleGrid>
	);
}

function milliseconds(value: number | null): string {
	return value === null ? "—" : `${Math.round(value)} ms`;
}
