/** The objects by which the functions know nodes: made when one joins, changed when it is to drain. */

import type { NodePublicKey } from "#shared/nodes/node-key.ts";
import { parseRegistration, type Registration, readRegistration } from "#shared/nodes/registration.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import { nodeHeartbeatKey, nodeRegistrationKey, nodeStreamsKey } from "#shared/store/key.ts";
import type { StoredObject } from "#shared/store/object-store.ts";
import type { Deps } from "../deps.ts";
import { changeObject } from "../store/change-object.ts";
import { fleetOf } from "./fleet.ts";

/**
 * Registers a node. The same node may join as often as it likes.
 * @throws InputError `node.conflict` when the name belongs to a node with another key, unless `replace`
 */
export async function registerNode(
	deps: Deps,
	{ id, key, replace }: { readonly id: string; readonly key: NodePublicKey; readonly replace: boolean },
): Promise<{ created: boolean }> {
	return changed(deps, id, (known) => {
		if (known !== null && known.key.x === key.x && known.key.y === key.y) return known;
		if (known !== null && !replace) {
			throw new InputError(
				"node.conflict",
				`There is a node ${id} already, with another key. Delete it first, or join with another nodeId`,
			);
		}
		return { v: 1, id, key, joinedMs: deps.clock.now(), draining: false };
	});
}

/** Says whether a node is to take new streams. @throws GoneError `node.not_found` */
export async function setDraining(deps: Deps, id: string, draining: boolean): Promise<void> {
	await changed(deps, id, (known) => {
		if (known === null) throw notFound(id);
		return known.draining === draining ? known : { ...known, draining };
	});
}

/** Forgets a node: what it says from then on is not believed. @throws GoneError `node.not_found` */
export async function forgetNode(deps: Deps, id: string): Promise<void> {
	if ((await readRegistration(deps.store, id)) === null) throw notFound(id);
	await deps.store.delete([nodeRegistrationKey(id), nodeHeartbeatKey(id), nodeStreamsKey(id)]);
	fleetOf(deps).directory.forget();
}

export function notFound(id: string): GoneError {
	return new GoneError("node.not_found", `No node ${id} has joined; GET /v1/nodes lists those that have`);
}

/** Changes a registration by what it is now. `change` gives the same object back when there is nothing to write. */
async function changed(
	deps: Deps,
	id: string,
	change: (known: Registration | null) => Registration,
): Promise<{ created: boolean }> {
	const read = (object: StoredObject | null) => (object === null ? null : parseRegistration(object));
	const { isNew } = await changeObject(deps.store, nodeRegistrationKey(id), read, change);
	fleetOf(deps).directory.forget();
	return { created: isNew };
}
