/** The nodes, as an instance of the functions deals with them: who there are, who has what, and whom to call if none is. */

import type { PathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import { storeBehind } from "../audit/recording-store.ts";
import type { Deps } from "../deps.ts";
import { rankNodes, type Wish } from "./choose-node.ts";
import { LiveStreams } from "./live-streams.ts";
import { type LiveNode, NodeDirectory } from "./node-directory.ts";
import { StreamOwners } from "./stream-owners.ts";
import { WakeUp } from "./wake-up.ts";

export type Fleet = {
	readonly directory: NodeDirectory;
	readonly streams: LiveStreams;
	readonly owners: StreamOwners;
	readonly wakeUp: WakeUp;
};

/** Kept for as long as the bucket's client, also when settings of paths change. */
const fleets = new WeakMap<ObjectStore, Fleet>();

/** The fleet of an instance: all requests share what it has read. */
export function fleetOf(asked: Deps): Fleet {
	const deps = { ...asked, store: storeBehind(asked.store) };
	let fleet = fleets.get(deps.store);
	if (fleet === undefined) {
		const directory = new NodeDirectory(deps);
		fleet = {
			directory,
			streams: new LiveStreams(deps, directory),
			owners: new StreamOwners(deps),
			wakeUp: new WakeUp(deps),
		};
		fleets.set(deps.store, fleet);
	}
	return fleet;
}

/** When the least busy node has no more room than that, another one is asked for: it takes a minute to boot. */
const BUSY_CPU = 0.75;
/** How long a machine takes to boot, about. */
const RETRY_AFTER_S = 15;

export type Route = {
	/** The best one first. */
	readonly nodes: readonly [LiveNode, ...LiveNode[]];
	/** A node has the stream of the path. */
	readonly isLive: boolean;
};

/**
 * Finds the nodes for a path, and asks for some if there is none.
 * @throws GoneError `node.none`
 */
export async function findNodes(deps: Deps, wish: Omit<Wish, "owner"> & { readonly path: PathName }): Promise<Route> {
	const { directory, owners, wakeUp } = fleetOf(deps);
	const [live, holder] = await Promise.all([directory.live(), owners.get(wish.path)]);
	const owner = holder?.id ?? null;
	// A node that has just died is listed for some seconds more. A publisher who comes meanwhile is likely its own.
	const suspects = holder?.isLapsing === true && wish.action === "publish" ? [holder.id] : [];
	const [best, ...others] = rankNodes(live, { ...wish, owner, avoid: [...(wish.avoid ?? []), ...suspects] });
	if (best !== undefined) {
		const isNew = wish.action === "publish" && best.registration.id !== owner;
		const leastCpu = Math.min(...[best, ...others].map(({ heartbeat }) => heartbeat.load.cpu));
		if (isNew && leastCpu >= BUSY_CPU) await wakeUp.call(wish.region, "busy");
		return { nodes: [best, ...others], isLive: live.some(({ registration }) => registration.id === owner) };
	}
	await wakeUp.call(wish.region, "none");
	throw new GoneError("node.none", `No media node can take ${wish.path} now; try again in ${RETRY_AFTER_S} seconds`, {
		data: { retryAfterS: RETRY_AFTER_S },
	});
}
