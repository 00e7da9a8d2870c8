/** What clouds ask for what is counted: public list prices of a date. */

import { InputError } from "../problem.ts";
import type { BucketLocation } from "../store/bucket-location.ts";
import { PRICES_2026_11 } from "./prices/2026-11.ts";

export const PROVIDERS = ["aws", "cloudflare", "none"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** In `currency`, without taxes, free tiers, volume discounts, and what does not grow with streams. */
export type PriceTable = {
	/** Unique: two answers with the same one can be compared. */
	readonly id: string;
	readonly provider: Provider;
	/** When the list was read. */
	readonly date: string;
	readonly currency: "USD";
	/** What is meant, in words. */
	readonly about: string;
	/** Pages of the provider. */
	readonly sources: readonly string[];
	/** PUT and LIST, by the million. */
	readonly putsPerMillion: number;
	/** GET and HEAD, by the million. */
	readonly getsPerMillion: number;
	/** Playlists and segments that the functions serve, by the million. */
	readonly servedPerMillion: number;
	/** A gigabyte in the bucket for a month. */
	readonly storagePerGbMonth: number;
	/** A gigabyte of playlists and segments to viewers. */
	readonly servedPerGb: number;
	/** A gigabyte from nodes to readers by RTSP and WebRTC. */
	readonly nodeOutPerGb: number;
	readonly bytesPerGb: number;
	readonly hoursPerMonth: number;
};

/**
 * Who asks for money: as a setting (`SLUICE_PRICES`) says, or as the bucket tells.
 * @throws InputError `config.invalid`
 */
export function providerOf(setting: string | undefined, location: BucketLocation): Provider {
	if (setting === undefined || setting === "") {
		if (location.kind !== "s3") return "none";
		if (location.endpoint === null || location.endpoint.includes(".amazonaws.com")) return "aws";
		return location.endpoint.includes(".r2.cloudflarestorage.com") ? "cloudflare" : "none";
	}
	const provider = PROVIDERS.find((known) => known === setting);
	if (provider !== undefined) return provider;
	throw new InputError(
		"config.invalid",
		`SLUICE_PRICES is ${JSON.stringify(setting.slice(0, 40))}: set it to one of ${PROVIDERS.join(", ")}`,
	);
}

/** The prices of a provider, as they were known last. */
export function pricesOf(provider: Provider): PriceTable {
	return PRICES_2026_11[provider];
}
