/** Which node a client is sent to. Pure: the same nodes and the same path give the same node, on every instance. */

import { isDraining, type LiveNode } from "./node-directory.ts";
import { serves } from "./node-urls.ts";

export type Wish = {
	readonly action: "publish" | "read";
	readonly path: string;
	/** Where the client is; empty when it is not known. */
	readonly region: string;
	/** The node that has the stream now; `null` when there is none. */
	readonly owner: string | null;
	/** Nodes that the client could not reach: the last resort. */
	readonly avoid?: readonly string[];
	/** A protocol that the node must serve. */
	readonly protocol?: "webrtc";
};

/** Nodes whose load differs by less than this are equally good: the load moves, and reconnects should not. */
const LOAD_STEP = 0.25;

/**
 * Orders the nodes that may serve a wish, the best one first. The one that has the stream comes before all others, unless
 * the client could not reach it; then those of the client's region; then those with the lowest load, and among equals the
 * path decides.
 */
export function rankNodes(
	nodes: readonly LiveNode[],
	{ action, path, region, owner, avoid = [], protocol }: Wish,
): LiveNode[] {
	const isOwner = (node: LiveNode) => node.registration.id === owner;
	return (
		nodes
			.filter(({ heartbeat }) => protocol === undefined || serves(heartbeat, protocol))
			// Whoever has a stream shows it to viewers to the end; a publisher can go elsewhere.
			.filter((node) => !isDraining(node) || (action === "read" && isOwner(node)))
			.map((node) => ({
				node,
				order: [
					avoid.includes(node.registration.id) ? 1 : 0,
					isOwner(node) ? 0 : 1,
					region === "" || node.heartbeat.region === region ? 0 : 1,
					Math.floor(node.heartbeat.load.cpu / LOAD_STEP),
					-affinity(path, node.registration.id),
				],
			}))
			.sort((a, b) => compare(a.order, b.order))
			.map(({ node }) => node)
	);
}

function compare(a: readonly number[], b: readonly number[]): number {
	for (const [at, value] of a.entries()) {
		const difference = value - (b[at] ?? 0);
		if (difference !== 0) return difference;
	}
	return 0;
}

/**
 * How well a node and a path go together, 0 to 2^32: the highest of all nodes wins (rendezvous hashing), so that a node
 * that comes or goes moves its own paths only. FNV-1a, then the finalizer of MurmurHash3, since FNV's high bits hardly
 * depend on the last characters.
 */
function affinity(path: string, nodeId: string): number {
	let hash = 0x811c9dc5;
	for (const byte of new TextEncoder().encode(`${path}\0${nodeId}`)) hash = Math.imul(hash ^ byte, 0x01000193);
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
	return (hash ^ (hash >>> 16)) >>> 0;
}
