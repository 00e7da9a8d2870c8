import { MAX_NODE_STREAMS_BYTES, type NodeStream, readNodeStreams } from "#shared/nodes/node-streams.ts";
import type { PathName } from "#shared/path-name.ts";
import { SluiceError } from "#shared/problem.ts";
import { nodeStreamsKey } from "#shared/store/key.ts";
import type { Deps } from "../deps.ts";
import { DIRECTORY_AGE_MS, type NodeDirectory } from "./node-directory.ts";

const PARALLEL_READS = 16;

/** The node in the same process: it tells without a bucket. */
export type LocalNode = { readonly id: string; readonly streams: () => readonly NodeStream[] };

export type LiveStream = { readonly node: string; readonly stream: NodeStream };

export type LiveStreamList = {
	/** By path. */
	readonly streams: ReadonlyMap<PathName, LiveStream>;
	/** Somebody tells: without a node that does, nothing is known, and not that nothing is live. */
	readonly isTold: boolean;
};

type Said = {
	/** Of what was read last, and what that is. */
	hash: string | null;
	streams: readonly NodeStream[];
	/** What was asked for last, and when: what the bucket has not got yet is not asked for with each request. */
	triedHash: string;
	triedMs: number;
	reading: Promise<void> | null;
};

/**
 * The live streams as their nodes tell them, beside their heartbeats: what has changed is read, one GET for each node
 * whose streams are other than before, as often as the directory of nodes is read anew and only while somebody asks.
 */
export class LiveStreams {
	readonly #deps: Pick<Deps, "store" | "clock" | "log" | "sharesReads">;
	readonly #directory: NodeDirectory;
	/** By node. */
	readonly #said = new Map<string, Said>();

	constructor(deps: Pick<Deps, "store" | "clock" | "log" | "sharesReads">, directory: NodeDirectory) {
		this.#deps = deps;
		this.#directory = directory;
	}

	/** Everything that is told now. @throws StoreError when no node is known yet and the bucket does not answer */
	async all(local: LocalNode | null): Promise<LiveStreamList> {
		const nodes = (await this.#directory.live()).filter(({ registration }) => registration.id !== local?.id);
		const ids = new Set(nodes.map(({ registration }) => registration.id));
		for (const id of this.#said.keys()) if (!ids.has(id)) this.#said.delete(id);
		const streams = new Map<PathName, LiveStream>();
		const add = (node: string, list: readonly NodeStream[]) => {
			for (const stream of list) {
				const other = streams.get(stream.path);
				// Of two nodes that have it, the one before has not noticed yet.
				if (other === undefined || other.stream.since < stream.since) streams.set(stream.path, { node, stream });
			}
		};
		for (let at = 0; at < nodes.length; at += PARALLEL_READS) {
			const some = nodes.slice(at, at + PARALLEL_READS);
			const said = await Promise.all(some.map(({ heartbeat: { id, streams: hash } }) => this.#saidBy(id, hash)));
			for (const [i, list] of said.entries()) add(some[i]?.heartbeat.id ?? "", list);
		}
		if (local !== null) add(local.id, local.streams());
		return { streams, isTold: local !== null || nodes.length > 0 };
	}

	async #saidBy(id: string, hash: string | null): Promise<readonly NodeStream[]> {
		if (hash === null) return [];
		const { clock, sharesReads } = this.#deps;
		const said = this.#said.get(id) ?? {
			...{ hash: null, streams: [], reading: null },
			...{ triedHash: "", triedMs: Number.NEGATIVE_INFINITY },
		};
		this.#said.set(id, said);
		const isTried = said.triedHash === hash && clock.monotonic() - said.triedMs < DIRECTORY_AGE_MS;
		if (said.hash !== hash && (!isTried || said.reading !== null)) {
			if (sharesReads) {
				said.reading ??= this.#read(id, hash, said).finally(() => {
					said.reading = null;
				});
				await said.reading;
			} else await this.#read(id, hash, said);
		}
		return said.streams;
	}

	/** What is known stays while the node has written something newer, of which its heartbeat is not seen yet. */
	async #read(id: string, hash: string, said: Said): Promise<void> {
		const { store, clock, log } = this.#deps;
		said.triedHash = hash;
		said.triedMs = clock.monotonic();
		try {
			const object = await store.get(nodeStreamsKey(id));
			if (object === null) return;
			if (object.size > MAX_NODE_STREAMS_BYTES) {
				await object.stream().cancel();
				return;
			}
			const read = await readNodeStreams(await object.text(), id, hash);
			if (read === null) return;
			said.hash = hash;
			said.streams = read.streams;
		} catch (error) {
			if (!(error instanceof SluiceError)) throw error;
			log.error({ node: id, code: error.code }, "The streams of a node could not be read; what was known stays");
		}
	}
}
