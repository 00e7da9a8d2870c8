import * as z from "zod";
import { allows } from "#shared/access/permission.ts";
import { isPathName, parsePathName } from "#shared/path-name.ts";
import { InputError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { costOf } from "#shared/usage/cost.ts";
import { addDay, type DayDocument, noDay, type PathDay } from "#shared/usage/fold.ts";
import { DAY_MS, dayOf, daySchema, dayStartMs, SHARED } from "#shared/usage/hour-document.ts";
import { PROVIDERS, type PriceTable, pricesOf } from "#shared/usage/price-table.ts";
import { storeBehind } from "../audit/recording-store.ts";
import type { Deps } from "../deps.ts";
import { respondJson } from "../respond.ts";
import { route } from "../routing.ts";
import { UsageDays } from "../usage/usage-days.ts";

const MAX_DAYS = 92;
const DEFAULT_DAYS = 30;

const amounts = {
	puts: z.number().describe("Requests that the bucket bills as writes: PUT and LIST"),
	gets: z.number().describe("Requests that it bills as reads: GET and HEAD"),
	bytesIn: z.number().describe("Written to the bucket"),
	bytesStored: z.number().describe("Media in the bucket at the end of the time, or now"),
	bytesOut: z.number().describe("To viewers: by the functions, and by nodes over RTSP and WebRTC"),
	secondsLive: z.number(),
	viewerSeconds: z.number().describe("How long viewers of HLS watched, together: an estimate"),
	cost: z.object({ requests: z.number(), storage: z.number(), egress: z.number(), total: z.number() }),
};
const usage = z.object(amounts).meta({ id: "Usage" });

const prices = z
	.object({
		id: z.string().describe("The same for the same prices"),
		provider: z.enum(PROVIDERS),
		date: z.iso.date().describe("When the list was read"),
		currency: z.literal("USD"),
		about: z.string(),
		source: z.string().describe("The provider's page; empty when nobody asks for anything"),
		sources: z.array(z.string()),
		putsPerMillion: z.number(),
		getsPerMillion: z.number(),
		servedPerMillion: z.number(),
		storagePerGbMonth: z.number(),
		servedPerGb: z.number(),
		nodeOutPerGb: z.number(),
		bytesPerGb: z.number(),
		hoursPerMonth: z.number(),
	})
	.meta({ id: "Prices" });

const report = z
	.object({
		from: z.iso.date(),
		to: z.iso.date(),
		prices,
		total: usage.describe("Of the items, and of what is shared"),
		items: z.array(z.object({ path: z.string(), ...amounts })).describe("By path, the dearest first"),
		shared: usage
			.nullable()
			.describe("What is of no path, such as heartbeats and settings; null for who may not manage all paths"),
		days: z.array(z.object({ date: z.iso.date(), ...amounts })).describe("Every day, oldest first"),
	})
	.meta({ id: "UsageReport" });
export type UsageReport = z.infer<typeof report>;

const query = z.object({
	from: daySchema.optional().describe(`The first day, of UTC; ${DEFAULT_DAYS} days in all when it is left out`),
	to: daySchema.optional().describe("The last day, of UTC; today when it is left out"),
});

export const usageRoutes = [
	route({
		method: "GET",
		path: "/v1/usage",
		operationId: "getUsage",
		summary: "Say what paths used, and what that costs",
		access: "manage",
		scope: "handler",
		query,
		responses: { 200: { description: "Usage by path and by day", schema: report } },
		async handler({ deps, claims, query }) {
			const permissions = claims?.permissions ?? [];
			const seesAll = permissions.some(({ action, path }) => path === "" && (action === "manage" || action === "api"));
			const shows = (path: string) =>
				path === SHARED ? seesAll : isPathName(path) && allows(permissions, "manage", path);
			return respondJson(200, await reportOf(deps, query, shows, seesAll));
		},
	}),
	route({
		method: "GET",
		path: "/v1/usage/{name}",
		operationId: "getPathUsage",
		summary: "Say what a path used, and what that costs",
		access: "manage",
		scope: "name",
		params: z.object({ name: z.string() }),
		query,
		responses: { 200: { description: "Usage by day", schema: report } },
		async handler({ deps, params, query }) {
			const name = parsePathName(params.name);
			return respondJson(200, await reportOf(deps, query, (path) => path === name, false));
		},
	}),
];

type Asked = { readonly from?: string | undefined; readonly to?: string | undefined };

async function reportOf(deps: Deps, asked: Asked, shows: (path: string) => boolean, hasShared: boolean) {
	const { from, to } = daysOf(asked, deps.clock.now());
	const table = pricesOf(deps.settings.prices);
	const days = await usageDaysOf(deps).read(from, to);
	const byPath = new Map<string, PathDay>();
	for (const [path, day] of days.flatMap(({ paths }) => Object.entries(paths))) {
		if (shows(path)) byPath.set(path, addDay(byPath.get(path) ?? noDay(), day));
	}
	const shown = (sum: PathDay) => shownUsage(sum, table);
	const items = [...byPath]
		.filter(([path]) => path !== SHARED)
		.map(([path, sum]) => ({ path, ...shown(sum) }))
		.sort((a, b) => b.cost.total - a.cost.total || b.bytesIn - a.bytesIn || (a.path < b.path ? -1 : 1));
	const dayTotals = days.map((document) => ({ date: document.day, ...shown(sumOf(document, shows)) }));
	return {
		...{ from, to },
		prices: { ...table, source: table.sources[0] ?? "" },
		total: shown(together([...byPath.values()])),
		items,
		shared: hasShared ? shown(byPath.get(SHARED) ?? noDay()) : null,
		days: dayTotals,
	};
}

/** @throws InputError `input.invalid` */
function daysOf(asked: Asked, nowMs: number): { from: string; to: string } {
	const to = asked.to ?? dayOf(nowMs);
	const from = asked.from ?? dayOf(dayStartMs(to) - (DEFAULT_DAYS - 1) * DAY_MS);
	const days = (dayStartMs(to) - dayStartMs(from)) / DAY_MS + 1;
	if (days >= 1 && days <= MAX_DAYS) return { from, to };
	throw new InputError(
		"input.invalid",
		`The usage of ${from} to ${to} cannot be told: ask for 1 to ${MAX_DAYS} days, the first one not after the last`,
		{ data: { issues: [{ path: "query.from", message: `1 to ${MAX_DAYS} days` }] } },
	);
}

function sumOf({ paths }: DayDocument, shows: (path: string) => boolean): PathDay {
	return together(Object.entries(paths).flatMap(([path, day]) => (shows(path) ? [day] : [])));
}

/** What paths used at the same time: what they store adds up, too. */
function together(list: readonly PathDay[]): PathDay {
	return list.reduce((sum, day) => ({ ...addDay(sum, day), stored: sum.stored + day.stored }), noDay());
}

function shownUsage(sum: PathDay, table: PriceTable): z.infer<typeof usage> {
	const rounded = (value: number) => Math.round(value * 1e9) / 1e9;
	const { requests, storage, egress, total } = costOf(sum, table);
	return {
		puts: sum.puts,
		gets: sum.gets,
		bytesIn: sum.bytesIn,
		bytesStored: sum.stored,
		bytesOut: sum.bytesServed + sum.bytesToReaders,
		secondsLive: sum.secondsLive,
		viewerSeconds: sum.viewerSeconds,
		cost: {
			requests: rounded(requests),
			storage: rounded(storage),
			egress: rounded(egress),
			total: rounded(total),
		},
	};
}

/** What an instance has read of usage, for as long as it has the bucket's client. */
const known = new WeakMap<ObjectStore, UsageDays>();

export function usageDaysOf(asked: Deps): UsageDays {
	const store = storeBehind(asked.store);
	const days = known.get(store) ?? new UsageDays({ ...asked, store });
	known.set(store, days);
	return days;
}
