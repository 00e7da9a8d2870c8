/** Who may use a token besides having it: limits that a token may carry. None are there unless somebody asked for them. */

import * as z from "zod";
import { isInRange, parseIpRange } from "#shared/access/ip-range.ts";
import { DeniedError } from "#shared/problem.ts";

const MAX_ENTRIES = 20;
const MAX_CONCURRENCY = 1000;
const HOST = /^(?:\*\.)?[a-z0-9][a-z0-9.-]*(?::\d{1,5})?$/;

const nonEmpty = <S extends z.ZodType>(schema: S) => z.array(schema).min(1).max(MAX_ENTRIES).readonly();

export const tokenLimitsSchema = z
	.strictObject({
		ips: nonEmpty(
			z
				.string()
				.max(64)
				.refine((text) => parseIpRange(text) !== null, {
					message: "must be an IP address or a network such as 10.0.0.0/8",
				}),
		)
			.optional()
			.describe("Addresses or networks that may use it"),
		countries: nonEmpty(z.string().regex(/^[A-Z]{2}$/, { message: "must be two capital letters, as in ISO 3166-1" }))
			.optional()
			.describe("Countries that may use it, as the platform tells them"),
		referrers: nonEmpty(z.string().max(253).regex(HOST, { message: "must be a host, or *. and a host" }))
			.optional()
			.describe("Hosts of the pages that may use it; *.example.com for all below example.com"),
		concurrency: z
			.int()
			.min(1)
			.max(MAX_CONCURRENCY)
			.optional()
			.describe("At how many addresses it may be used at the same time, as far as one instance sees"),
	})
	.meta({ id: "TokenLimits" });
export type TokenLimits = z.infer<typeof tokenLimitsSchema>;

/** What is known of who asks, from sources that they cannot write themselves; `null` where the platform does not say. */
export type Viewer = {
	readonly ip: string | null;
	/** ISO 3166-1 alpha-2. */
	readonly country: string | null;
	/** The `Referer` header: only a browser's word, but a page cannot change what a browser says. */
	readonly referrer: string | null;
};

/** @throws DeniedError `access.token_limit` with the limit that does not hold */
export function assertLimits(limits: TokenLimits, viewer: Viewer): void {
	const { ips, countries, referrers } = limits;
	const { ip, country } = viewer;
	if (ips !== undefined && (ip === null || !ips.some((range) => contains(range, ip))))
		throw refused("ips", "may not be used from this address");
	if (countries !== undefined && (country === null || !countries.includes(country)))
		throw refused("countries", "may not be used from this country");
	if (referrers !== undefined) {
		const host = hostOf(viewer.referrer);
		if (host === null || !referrers.some((wanted) => isHost(wanted, host)))
			throw refused("referrers", "may not be used from this page");
	}
}

export function refused(limit: keyof TokenLimits, what: string): DeniedError {
	return new DeniedError("access.token_limit", `The token ${what}. Ask whoever gave it to you`, { data: { limit } });
}

function contains(text: string, ip: string): boolean {
	const range = parseIpRange(text);
	return range !== null && isInRange(range, ip);
}

/** The host of a URL, in lower case, with its port if it has one; as the function at the edge reads it. */
export function hostOf(url: string | null): string | null {
	const host = /^https?:\/\/([^/?#@\s]+)(?:[/?#]|$)/i.exec(url ?? "")?.[1];
	return host === undefined ? null : host.toLowerCase();
}

export function isHost(wanted: string, host: string): boolean {
	return wanted.startsWith("*.") ? host.endsWith(wanted.slice(1)) && host.length > wanted.length - 1 : wanted === host;
}
