import type { PathDay } from "./fold.ts";
import type { PriceTable } from "./price-table.ts";

/** In the currency of the price table. */
export type Cost = {
	readonly requests: number;
	readonly storage: number;
	readonly egress: number;
	readonly total: number;
};

const MILLION = 1e6;

/** What usage costs by a list of prices. */
export function costOf(usage: PathDay, prices: PriceTable): Cost {
	const served = usage.playlists + usage.segments;
	const requests =
		(usage.puts * prices.putsPerMillion + usage.gets * prices.getsPerMillion + served * prices.servedPerMillion) /
		MILLION;
	const storage = (usage.byteHours / prices.bytesPerGb / prices.hoursPerMonth) * prices.storagePerGbMonth;
	const egress =
		(usage.bytesServed * prices.servedPerGb + usage.bytesToReaders * prices.nodeOutPerGb) / prices.bytesPerGb;
	return { requests, storage, egress, total: requests + storage + egress };
}
