import type { ShownDelivery } from "../../../webhooks/shown-delivery.ts";

export type DeliveryFilter = {
	readonly state: ShownDelivery["state"];
	/** The id of an endpoint; `null`: all. */
	readonly endpoint: string | null;
	/** A path; empty: all. */
	readonly path: string;
};

/** Where the deliveries are that a filter lets pass. */
export function deliveriesAddress({ state, endpoint, path }: DeliveryFilter): string {
	const query = new URLSearchParams({ state });
	if (endpoint !== null) query.set("endpoint", endpoint);
	if (path !== "") query.set("path", path);
	return `/v1/deliveries?${query}`;
}
