import { randomBytes } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import { sameBytes, u32 } from "../../bytes/big-endian.ts";
import {
	parseData,
	parseForwardTsn,
	parseInit,
	parseSack,
	parseStreamResets,
	plainChunk,
	type SctpInit,
	type StreamReset,
	writeInit,
	writeResetResponse,
	writeSack,
} from "./sctp-chunk.ts";
import { INBOUND_STREAMS, INBOUND_WINDOW_BYTES, SctpInbound, type SctpMessage } from "./sctp-inbound.ts";
import { type OutboundMessage, SctpOutbound } from "./sctp-outbound.ts";
import { parseSctp, type SctpChunk, SctpChunkType, tsnAfter, writeSctp } from "./sctp-packet.ts";

export type SctpOptions = {
	readonly localPort: number;
	readonly remotePort: number;
	readonly clock: Clock;
	/** Sends a packet. Whether it arrives is nobody's promise. Never throws. */
	readonly send: (packet: Uint8Array) => void;
	readonly onEstablished: () => void;
	/** Never throws. */
	readonly onMessage: (message: SctpMessage) => void;
	/** The peer begins streams anew; all when there are none. */
	readonly onReset: (streams: readonly number[]) => void;
	/** `null`: the peer said goodbye. Called at most once, and never for {@link SctpAssociation.close}. */
	readonly onEnded: (failure: string | null) => void;
};

type State = "new" | "cookieWait" | "cookieEchoed" | "established" | "ended";

/** RFC 9260 §16: Max.Init.Retransmits and Association.Max.Retrans. */
const MAX_INIT_SENDS = 8;
const MAX_SENDS = 10;
const INIT_TIMEOUT_MS = 1_000;
const MAX_INIT_TIMEOUT_MS = 10_000;
/** Channels that we may use: of what a peer allows, the rest is not needed. */
const OUTBOUND_STREAMS = 1024;
/** What comes back has to fit into a packet. */
const MAX_HEARTBEAT_BYTES = 1024;

/**
 * One association of SCTP inside of DTLS, RFC 9260 as far as RFC 8831 uses it: one address, no bundling of what is
 * lost, acknowledgements at once. Both ends may begin. DTLS says who the peer is: the cookie proves that it hears us.
 */
export class SctpAssociation {
	readonly #options: SctpOptions;
	readonly #tag = randomTag();
	readonly #firstTsn = randomTag();
	readonly #cookie = new Uint8Array(randomBytes(16));
	#state: State = "new";
	#peer: SctpInit | null = null;
	#peerCookie: Uint8Array | null = null;
	#inbound: SctpInbound | null = null;
	#outbound: SctpOutbound | null = null;
	#timer: Disposable | null = null;
	/** How often what is waited for was sent. */
	#sends = 0;
	/** The last request of the peer to begin streams anew that was done, and its answer. */
	#lastReset: { readonly request: number; readonly answer: SctpChunk } | null = null;
	#ownResets = 0;

	constructor(options: SctpOptions) {
		this.#options = options;
	}

	get isEstablished(): boolean {
		return this.#state === "established";
	}

	/** What waits to be sent and to be acknowledged, with what it costs to keep it. */
	get bufferedBytes(): number {
		return this.#outbound?.bufferedBytes ?? 0;
	}

	/** What came and cannot be given on yet, with what it costs to keep it. */
	get heldBytes(): number {
		return this.#inbound?.heldBytes ?? 0;
	}

	/** Says hello. The peer may have done so before: then it does nothing. */
	start(): void {
		if (this.#state !== "new") return;
		this.#state = "cookieWait";
		this.#ask();
	}

	/** Takes a packet of the peer, which is copied where it is kept. Never throws. */
	receive(bytes: Uint8Array): void {
		const { localPort, remotePort } = this.#options;
		if (this.#state === "ended") return;
		const packet = parseSctp(bytes);
		if (packet === null || packet.sourcePort !== remotePort || packet.destinationPort !== localPort) return;
		const [first] = packet.chunks;
		if (packet.tag === 0) {
			if (first?.type === SctpChunkType.init && packet.chunks.length === 1) this.#takeInit(first);
			return;
		}
		if (packet.tag !== this.#tag) {
			// RFC 9260 §8.5.1: who does not know our tag any more sends its own back.
			const isReflected = first?.type === SctpChunkType.abort && (first.flags & 1) !== 0;
			if (isReflected && packet.tag === this.#peer?.tag) this.#end(null);
			return;
		}
		let hasData = false;
		for (const chunk of packet.chunks) {
			if (!this.#take(chunk)) break;
			hasData ||= chunk.type === SctpChunkType.data || chunk.type === SctpChunkType.forwardTsn;
		}
		if (hasData && this.#inbound !== null) this.#send([writeSack(this.#inbound.sack)]);
		this.#flush();
	}

	/** Sends a message; it is copied. `false`: not yet, not any more, no such stream, or no room. */
	send(message: OutboundMessage): boolean {
		if (this.#outbound === null || this.#state !== "established") return false;
		if (message.stream >= Math.min(OUTBOUND_STREAMS, this.#peer?.inboundStreams ?? 0)) return false;
		const isTaken = this.#outbound.add(message);
		this.#flush();
		return isTaken;
	}

	/** Ends at once, and tells the peer. Idempotent. */
	close(): void {
		if (this.#state !== "ended" && this.#peer !== null) this.#send([plainChunk(SctpChunkType.abort)]);
		this.#stop();
	}

	/** Takes a chunk of a packet with our tag. `false`: what follows in the packet is not looked at. */
	#take(chunk: SctpChunk): boolean {
		const { type, body } = chunk;
		switch (type) {
			case SctpChunkType.initAck:
				this.#takeInitAck(body);
				return true;
			case SctpChunkType.cookieEcho:
				return this.#takeCookie(body);
			case SctpChunkType.cookieAck:
				if (this.#state === "cookieEchoed") this.#establish();
				return true;
			case SctpChunkType.heartbeat:
				if (this.#peer === null || body.length > MAX_HEARTBEAT_BYTES) return false;
				this.#send([plainChunk(SctpChunkType.heartbeatAck, body)]);
				return true;
			case SctpChunkType.abort:
				this.#end(null);
				return false;
			case SctpChunkType.shutdown:
				this.#send([plainChunk(SctpChunkType.shutdownAck)]);
				this.#end(null);
				return false;
			case SctpChunkType.data:
			case SctpChunkType.sack:
			case SctpChunkType.forwardTsn:
			case SctpChunkType.reconfig:
				return this.#state === "established" && this.#takeOfEstablished(chunk);
			default:
				// RFC 9260 §3.2: the highest bit of an unknown type says to go on behind it.
				return type >= 0x80 || type === SctpChunkType.error || type === SctpChunkType.heartbeatAck;
		}
	}

	#takeOfEstablished(chunk: SctpChunk): boolean {
		const { type, body } = chunk;
		const inbound = this.#inbound;
		if (inbound === null) return false;
		switch (type) {
			case SctpChunkType.data: {
				const data = parseData(chunk);
				if (data !== null && inbound.data(data)) return this.#state === "established";
				this.#fail("the peer sends messages that are too long, or none");
				return false;
			}
			case SctpChunkType.sack:
				this.#takeSack(body);
				return true;
			case SctpChunkType.forwardTsn: {
				const forward = parseForwardTsn(body);
				if (forward !== null) inbound.forward(forward);
				return this.#state === "established";
			}
			default:
				for (const reset of parseStreamResets(body)) this.#takeReset(reset, inbound);
				return true;
		}
	}

	#takeInit({ body }: SctpChunk): void {
		if (this.#state === "established") return;
		const init = parseInit(body);
		if (init === null) return;
		this.#peer = init;
		this.#send([writeInit({ ...this.#ownInit(), cookie: this.#cookie })]);
	}

	#takeInitAck(body: Uint8Array): void {
		if (this.#state !== "cookieWait") return;
		const init = parseInit(body);
		if (init === null || init.cookie === null) return;
		this.#peer = init;
		this.#peerCookie = init.cookie;
		this.#state = "cookieEchoed";
		this.#sends = 0;
		this.#ask();
	}

	#takeCookie(cookie: Uint8Array): boolean {
		if (this.#peer === null || !sameBytes(cookie, this.#cookie)) return false;
		// Our answer to the one before may have been lost.
		this.#send([plainChunk(SctpChunkType.cookieAck)]);
		if (this.#state !== "established") this.#establish();
		return this.#state === "established";
	}

	#takeSack(body: Uint8Array): void {
		const sack = parseSack(body);
		if (sack === null || this.#outbound === null) return;
		this.#sends = 0;
		if (this.#outbound.acknowledged(sack, this.#options.clock.monotonic())) this.#stopTimer();
	}

	#takeReset(reset: StreamReset, inbound: SctpInbound): void {
		const { request, streams } = reset;
		if (request === this.#lastReset?.request) {
			this.#send([this.#lastReset.answer]);
			return;
		}
		if (!inbound.reset(reset)) {
			this.#send([writeResetResponse(request, false, null)]);
			return;
		}
		// RFC 8831 §6.7: who is asked to close a channel closes its own half. Should that get lost, the peer asks again.
		const begun = this.#outbound?.reset(streams) ?? [];
		const lastTsn = this.#outbound?.lastTsn ?? 0;
		const own =
			begun.length === 0 ? null : { request: tsnAfter(this.#firstTsn, this.#ownResets++), lastTsn, streams: begun };
		this.#lastReset = { request, answer: writeResetResponse(request, true, own) };
		this.#send([this.#lastReset.answer]);
		this.#options.onReset(streams);
	}

	#establish(): void {
		const peer = this.#peer;
		if (peer === null) return;
		this.#stopTimer();
		this.#sends = 0;
		this.#state = "established";
		this.#inbound = new SctpInbound(peer.firstTsn, (message) => this.#options.onMessage(message));
		this.#outbound = new SctpOutbound(this.#firstTsn, peer.window);
		this.#options.onEstablished();
	}

	/** Asks for the next step of the handshake, again and again. */
	#ask(): void {
		if (this.#sends++ === MAX_INIT_SENDS) {
			this.#end("the peer does not answer");
			return;
		}
		const cookie = this.#peerCookie;
		if (cookie === null) this.#send([writeInit(this.#ownInit())], 0);
		else this.#send([plainChunk(SctpChunkType.cookieEcho, cookie)]);
		this.#after(Math.min(INIT_TIMEOUT_MS * 2 ** (this.#sends - 1), MAX_INIT_TIMEOUT_MS), () => this.#ask());
	}

	#flush(): void {
		const outbound = this.#outbound;
		if (outbound === null || this.#state !== "established") return;
		const nowMs = this.#options.clock.monotonic();
		for (let chunks = outbound.next(nowMs); chunks.length > 0; chunks = outbound.next(nowMs)) this.#send(chunks);
		if (!outbound.isWaiting) this.#stopTimer();
		else if (this.#timer === null) this.#after(outbound.rtoMs, () => this.#timedOut());
	}

	#timedOut(): void {
		this.#timer = null;
		if (this.#sends++ === MAX_SENDS) {
			this.#fail("the peer does not acknowledge what it gets");
			return;
		}
		this.#outbound?.timedOut();
		this.#flush();
	}

	#ownInit(): SctpInit {
		return {
			...{ tag: this.#tag, window: INBOUND_WINDOW_BYTES, firstTsn: this.#firstTsn, cookie: null },
			...{ outboundStreams: OUTBOUND_STREAMS, inboundStreams: INBOUND_STREAMS },
			...{ hasForwardTsn: true, hasReconfig: true },
		};
	}

	#send(chunks: readonly SctpChunk[], tag = this.#peer?.tag ?? 0): void {
		const { localPort, remotePort, send } = this.#options;
		send(writeSctp({ sourcePort: localPort, destinationPort: remotePort, tag, chunks }));
	}

	#after(ms: number, run: () => void): void {
		this.#stopTimer();
		this.#timer = this.#options.clock.after(ms, run);
	}

	#stopTimer(): void {
		this.#timer?.[Symbol.dispose]();
		this.#timer = null;
	}

	#fail(failure: string): void {
		this.#send([plainChunk(SctpChunkType.abort)]);
		this.#end(failure);
	}

	#end(failure: string | null): void {
		if (this.#state === "ended") return;
		this.#stop();
		this.#options.onEnded(failure);
	}

	#stop(): void {
		this.#state = "ended";
		this.#stopTimer();
		this.#inbound = null;
		this.#outbound = null;
	}
}

/** 32 bits by chance, and not 0. */
function randomTag(): number {
	return u32(randomBytes(4), 0) || 1;
}
