import { Code, Stack, Text, Timeline } from "@mantine/core";
import type { FullDelivery } from "../../../webhooks/shown-delivery.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";

/** What came of each attempt, the newest last. */
export function AttemptLog({ attempts }: { attempts: FullDelivery["attemptLog"] }) {
	if (attempts.length === 0) {
		return (
			<Text size="sm" c="dimmed">
				It was not attempted yet.
			</Text>
		);
	}
	return (
		<Timeline active={attempts.length} bulletSize={14} lineWidth={2} color="gray">
			{attempts.map(({ at, durationMs, outcome, answer }, i) => (
				<Timeline.Item key={at} title={`Attempt ${i + 1}: ${outcome}`}>
					<Stack gap={4}>
						<Text size="sm" c="dimmed">
							<RelativeTime at={at} />, it took {durationMs} ms
						</Text>
						{answer !== "" && (
							<Code block tabIndex={0} role="region" aria-label={`Answer to attempt ${i + 1}`}>
								{answer}
							</Code>
						)}
					</Stack>
				</Timeline.Item>
			))}
		</Timeline>
	);
}
