import { type Heartbeat, signHeartbeat } from "#shared/nodes/heartbeat.ts";
import { generateNodeKey, type NodeKey, publicNodeKey } from "#shared/nodes/node-key.ts";
import { type NodeStream, nodeStreamsHash } from "#shared/nodes/node-streams.ts";
import { parsePathName } from "#shared/path-name.ts";
import { nodeHeartbeatKey, nodeRegistrationKey, nodeStreamsKey } from "#shared/store/key.ts";
import type { ObjectStore } from "#shared/store/object-store.ts";
import type { FakeClock } from "./fake-clock.ts";

export type HeartbeatChanges = Partial<Omit<Heartbeat, "load" | "endpoints">> & {
	readonly load?: Partial<Heartbeat["load"]>;
	readonly endpoints?: Partial<Heartbeat["endpoints"]>;
};

/** A heartbeat that is right, but for what a test wants otherwise. */
export function heartbeatOf(id: string, writtenMs: number, changes: HeartbeatChanges = {}): Heartbeat {
	return {
		v: 1,
		id,
		sequence: 1,
		writtenMs,
		startedMs: Date.UTC(2026, 0, 1),
		version: "0.1.0",
		region: "",
		state: "active",
		host: `${id}.example`,
		streams: null,
		...changes,
		endpoints: {
			rtsp: 8554,
			rtsps: null,
			webrtc: 8889,
			webrtcEncryption: false,
			webrtcURL: null,
			rtmp: null,
			srt: null,
			...changes.endpoints,
		},
		load: { cpu: 0.1, streams: 0, readers: 0, bytesInPerSecond: 0, bytesOutPerSecond: 0, ...changes.load },
	};
}

/** What a node says of a healthy stream. */
export function nodeStreamOf(path: string, changes: Partial<NodeStream> = {}): NodeStream {
	return {
		path: parsePathName(path),
		since: "2026-01-01T00:00:00.000Z",
		source: { type: "rtsp" },
		tracks: [{ kind: "video", codec: "H264" }],
		bitsPerSecond: 4_000_000,
		readers: { rtsp: 1, webrtc: 2 },
		uploadLagMs: 500,
		keyFrameIntervalMs: 2_000,
		packetLoss: null,
		warnings: [],
		hls: null,
		...changes,
	};
}

/** A node that has joined, and beats when it is told to. */
export class FakeNode {
	readonly id: string;
	readonly key: NodeKey;
	readonly #store: ObjectStore;
	readonly #clock: FakeClock;
	#sequence = 0;

	private constructor(id: string, key: NodeKey, store: ObjectStore, clock: FakeClock) {
		this.id = id;
		this.key = key;
		this.#store = store;
		this.#clock = clock;
	}

	static async join(
		id: string,
		{ store, clock }: { readonly store: ObjectStore; readonly clock: FakeClock },
		changes: HeartbeatChanges = {},
	): Promise<FakeNode> {
		const node = new FakeNode(id, await generateNodeKey(), store, clock);
		const registration = { v: 1, id, key: publicNodeKey(node.key), joinedMs: clock.now(), draining: false };
		await store.put(nodeRegistrationKey(id), JSON.stringify(registration));
		await node.beat(changes);
		return node;
	}

	/** Writes its streams, and beats with their hash. */
	async say(streams: readonly NodeStream[]): Promise<void> {
		const text = JSON.stringify({ v: 1, id: this.id, streams });
		await this.#store.put(nodeStreamsKey(this.id), text);
		await this.beat({ streams: await nodeStreamsHash(text) });
	}

	async beat(changes: HeartbeatChanges = {}, key = this.key): Promise<void> {
		const heartbeat = heartbeatOf(this.id, this.#clock.now(), { sequence: ++this.#sequence, ...changes });
		await this.#store.put(nodeHeartbeatKey(this.id), await signHeartbeat(heartbeat, key));
	}
}
