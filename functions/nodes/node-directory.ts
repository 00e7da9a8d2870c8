import { DEAD_AFTER_MS, type Heartbeat, MAX_HEARTBEAT_CHARS, verifyHeartbeat } from "#shared/nodes/heartbeat.ts";
import { nodeIdSchema } from "#shared/nodes/node-id.ts";
import { parseRegistration, type Registration } from "#shared/nodes/registration.ts";
import { hasCode, SluiceError } from "#shared/problem.ts";
import {
	HEARTBEAT_FILE,
	NODES_PREFIX,
	nodeHeartbeatKey,
	nodeRegistrationKey,
	REGISTRATION_FILE,
} from "#shared/store/key.ts";
import type { ObjectInfo } from "#shared/store/object-store.ts";
import type { Deps } from "../deps.ts";

/** How long an instance answers from one listing. Who is dead is decided anew with each answer. */
export const DIRECTORY_AGE_MS = 3_000;
/** A page has the two objects of 500 nodes. */
const MAX_PAGES = 4;
const PARALLEL_READS = 16;

/** A node that has joined. */
export type KnownNode = {
	readonly registration: Registration;
	/** The last one that was read; `null` when there is none, it is not believed, or it was old when it was found. */
	readonly heartbeat: Heartbeat | null;
	/** When the heartbeat was written, by the store's clock, milliseconds since the Unix epoch. */
	readonly seenMs: number | null;
	/** Why the heartbeat is not believed. */
	readonly fault: string | null;
};

export type LiveNode = KnownNode & { readonly heartbeat: Heartbeat };

type Listed = { registration?: ObjectInfo; heartbeat?: ObjectInfo };
type Entry = KnownNode & { readonly registrationEtag: string; readonly heartbeatEtag: string };

/**
 * The nodes of the bucket, as one instance of the functions knows them. A listing tells which objects have changed, and
 * those alone are read: one LIST, and one GET for each live node, every {@link DIRECTORY_AGE_MS} at most, and only while
 * somebody asks.
 */
export class NodeDirectory {
	readonly #deps: Pick<Deps, "store" | "clock" | "log" | "sharesReads">;
	#entries: ReadonlyMap<string, Entry> | null = null;
	#readMs = Number.NEGATIVE_INFINITY;
	#reading: Promise<ReadonlyMap<string, Entry>> | null = null;

	constructor(deps: Pick<Deps, "store" | "clock" | "log" | "sharesReads">) {
		this.#deps = deps;
	}

	/** Every node that has joined, by name. @throws StoreError */
	async all(): Promise<readonly KnownNode[]> {
		const { clock, sharesReads } = this.#deps;
		const known = this.#entries;
		if (known !== null && clock.monotonic() - this.#readMs < DIRECTORY_AGE_MS) return [...known.values()];
		if (!sharesReads) return [...(await this.#refresh()).values()];
		this.#reading ??= this.#refresh().finally(() => {
			this.#reading = null;
		});
		return [...(await this.#reading).values()];
	}

	/** The nodes that live now, draining ones too. @throws StoreError */
	async live(): Promise<readonly LiveNode[]> {
		const nodes = await this.all();
		const nowMs = this.#deps.clock.now();
		return nodes.filter((node): node is LiveNode => isLive(node, nowMs));
	}

	/** Lets the next answer come from a new listing: this instance has just changed something. */
	forget(): void {
		this.#readMs = Number.NEGATIVE_INFINITY;
	}

	async #refresh(): Promise<ReadonlyMap<string, Entry>> {
		const { clock, log } = this.#deps;
		const known = this.#entries;
		// The age counts from before the listing: what is written meanwhile is not missed for longer.
		this.#readMs = clock.monotonic();
		try {
			this.#entries = await this.#read(known ?? new Map());
		} catch (error) {
			if (!(error instanceof SluiceError) || known === null) throw error;
			// What is known serves until it is too old to be believed, which it tells by itself.
			log.error({ code: error.code }, "The list of nodes could not be read; the last one stays");
		}
		return this.#entries ?? new Map();
	}

	async #read(known: ReadonlyMap<string, Entry>): Promise<ReadonlyMap<string, Entry>> {
		const listed = [...(await this.#list())];
		const entries = new Map<string, Entry>();
		for (let at = 0; at < listed.length; at += PARALLEL_READS) {
			const some = await Promise.all(
				listed.slice(at, at + PARALLEL_READS).map(([id, objects]) => this.#entryOf(id, objects, known.get(id) ?? null)),
			);
			for (const entry of some) if (entry !== null) entries.set(entry.registration.id, entry);
		}
		return entries;
	}

	async #list(): Promise<ReadonlyMap<string, Listed>> {
		const listed = new Map<string, Listed>();
		let next: string | null = "";
		for (let page = 0; next !== null && page < MAX_PAGES; page++) {
			const found = await this.#deps.store.list(NODES_PREFIX, next === "" ? {} : { startAfter: next });
			for (const info of found.objects) {
				const [id = "", file, more] = info.key.slice(NODES_PREFIX.length).split("/");
				if (more !== undefined || !nodeIdSchema.safeParse(id).success) continue;
				const objects = listed.get(id) ?? {};
				if (file === REGISTRATION_FILE) listed.set(id, { ...objects, registration: info });
				if (file === HEARTBEAT_FILE) listed.set(id, { ...objects, heartbeat: info });
			}
			next = found.next;
		}
		return listed;
	}

	/** `null`: a node that never joined, or was deleted, is none, whatever it says of itself. */
	async #entryOf(id: string, listed: Listed, known: Entry | null): Promise<Entry | null> {
		if (listed.registration === undefined) return null;
		const isSame = known?.registrationEtag === listed.registration.etag;
		const registration = isSame ? known.registration : await this.#registrationOf(id);
		if (registration === null || registration.id !== id) return null;
		const base = {
			registration,
			registrationEtag: listed.registration.etag,
			seenMs: listed.heartbeat?.modifiedMs ?? null,
			heartbeatEtag: listed.heartbeat?.etag ?? "",
		};
		if (isSame && known.heartbeatEtag === base.heartbeatEtag) return { ...known, ...base };
		// Old ones are not worth a read: nodes of a group that shrank leave many.
		if (listed.heartbeat === undefined || this.#deps.clock.now() - listed.heartbeat.modifiedMs >= DEAD_AFTER_MS) {
			return { ...base, heartbeat: null, fault: null };
		}
		return { ...base, ...(await this.#heartbeatOf(registration)) };
	}

	async #registrationOf(id: string): Promise<Registration | null> {
		const object = await this.#deps.store.get(nodeRegistrationKey(id));
		return object === null ? null : parseRegistration(object);
	}

	async #heartbeatOf({ id, key }: Registration): Promise<Pick<KnownNode, "heartbeat" | "fault">> {
		const object = await this.#deps.store.get(nodeHeartbeatKey(id));
		if (object === null) return { heartbeat: null, fault: null };
		if (object.size > MAX_HEARTBEAT_CHARS) {
			await object.stream().cancel();
			return { heartbeat: null, fault: `The heartbeat of node ${id} is too large` };
		}
		try {
			return { heartbeat: await verifyHeartbeat(await object.text(), id, key), fault: null };
		} catch (error) {
			if (!hasCode(error, "access.token_invalid")) throw error;
			return { heartbeat: null, fault: error.message };
		}
	}
}

/** Says whether a node has been heard of in time: by its own clock, and by the store's. */
export function isLive({ heartbeat, seenMs }: KnownNode, nowMs: number): boolean {
	if (heartbeat === null || seenMs === null) return false;
	return nowMs - heartbeat.writtenMs < DEAD_AFTER_MS && nowMs - seenMs < DEAD_AFTER_MS;
}

/** Says whether a node is to get new streams no more: by its own word, or that of whoever runs it. */
export function isDraining({ registration, heartbeat }: KnownNode): boolean {
	return registration.draining || heartbeat?.state === "draining";
}
