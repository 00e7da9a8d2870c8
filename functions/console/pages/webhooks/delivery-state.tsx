import type { ShownDelivery } from "../../../webhooks/shown-delivery.ts";
import { StateBadge } from "../../ui/state-badge.tsx";

const LOOKS = {
	pending: { state: "idle", word: "waiting" },
	done: { state: "good", word: "came through" },
	dead: { state: "bad", word: "given up" },
} as const;

/** What became of a delivery; one that waits after an attempt is a warning. */
export function DeliveryState({ delivery: { state, attempts } }: { delivery: ShownDelivery }) {
	const { state: look, word } = LOOKS[state];
	if (state === "pending" && attempts > 0) return <StateBadge state="warning">waiting to try again</StateBadge>;
	return <StateBadge state={look}>{word}</StateBadge>;
}
