import { type Api, segment } from "../../api/client.ts";

/** Names a delivery, as long as it is in that state. */
export type DeliveryRef = { readonly state: "pending" | "done" | "dead"; readonly name: string };

/** Delivers each once more, one after the other. Says how many; the first that fails ends it. */
export async function replayAll(api: Api, deliveries: readonly DeliveryRef[]): Promise<number> {
	for (const delivery of deliveries) await api.send("POST", `${deliveryAddress(delivery)}/replay`);
	return deliveries.length;
}

export function deliveryAddress({ state, name }: DeliveryRef): string {
	return `/v1/deliveries/${state}/${segment(name)}`;
}

/** What the functions say of replaying all that was given up for an endpoint. */
export type Replayed = { readonly replayed: number; readonly hasMore: boolean };

export function replayedWords({ replayed, hasMore }: Replayed): string {
	if (replayed === 0 && !hasMore) return "Nothing was given up in that time";
	const events = replayed === 1 ? "1 event is" : `${replayed} events are`;
	return `${events} delivered once more${hasMore ? "; there are more, so do it again" : ""}`;
}
