/** The chunks of SCTP that data channels need: RFC 9260 §3.3, RFC 3758, RFC 6525. Pure. */

import { putU16, putU32, u16, u32 } from "../../bytes/big-endian.ts";
import { CHUNK_HEADER_BYTES, paddedTo4, type SctpChunk, SctpChunkType } from "./sctp-packet.ts";

/** INIT and INIT ACK, RFC 9260 §3.3.2 and §3.3.3. */
export type SctpInit = {
	/** Never 0. */
	readonly tag: number;
	/** Room for messages that come, in bytes. */
	readonly window: number;
	readonly outboundStreams: number;
	readonly inboundStreams: number;
	readonly firstTsn: number;
	/** Of INIT ACK only. */
	readonly cookie: Uint8Array | null;
	/** RFC 3758 §3.1: the peer may be told of messages that do not come. */
	readonly hasForwardTsn: boolean;
	/** RFC 6525 §5.1: streams can begin anew. */
	readonly hasReconfig: boolean;
};

/** A message or a part of it, RFC 9260 §3.3.1. */
export type SctpData = {
	readonly tsn: number;
	readonly stream: number;
	/** The number of the message in its stream; means nothing when it is unordered. */
	readonly ssn: number;
	readonly ppid: number;
	readonly unordered: boolean;
	readonly begins: boolean;
	readonly ends: boolean;
	readonly payload: Uint8Array;
};

/** RFC 9260 §3.3.4. */
export type SctpSack = {
	readonly cumulativeTsn: number;
	readonly window: number;
	/** First and last of each block, counted from the cumulative TSN. */
	readonly gaps: readonly { readonly first: number; readonly last: number }[];
};

export type ForwardTsn = {
	readonly cumulativeTsn: number;
	/** The last message of each ordered stream that does not come. */
	readonly streams: readonly { readonly stream: number; readonly ssn: number }[];
};

/** RFC 6525 §4.1: the peer sends on these streams from number 0 again; all streams when there are none. */
export type StreamReset = { readonly request: number; readonly lastTsn: number; readonly streams: readonly number[] };

export const DATA_HEADER_BYTES = CHUNK_HEADER_BYTES + 12;

const Parameter = {
	cookie: 7,
	outgoingReset: 13,
	reconfigResponse: 16,
	extensions: 0x8008,
	forwardTsn: 0xc000,
} as const;
const INIT_BYTES = 16;
/** Of {@link SctpData}: the flags E, B and U. */
const DATA_ENDS = 1;
const DATA_BEGINS = 2;
const DATA_UNORDERED = 4;
/** RFC 6525 §4.4. */
const RESET_DONE = 1;
const RESET_UNDER_WAY = 6;
/** More parameters than there are kinds of them. */
const MAX_PARAMETERS = 32;
/** It goes back in one packet. */
const MAX_COOKIE_BYTES = 1024;

/** Reads INIT and INIT ACK; `null` when it is damaged, or of a peer that cannot take anything. */
export function parseInit(body: Uint8Array): SctpInit | null {
	if (body.length < INIT_BYTES) return null;
	const parameters = parseParameters(body, INIT_BYTES);
	if (parameters === null) return null;
	let cookie: Uint8Array | null = null;
	const extensions = new Set<number>();
	for (const { type, value } of parameters) {
		if (type === Parameter.cookie && value.length <= MAX_COOKIE_BYTES) cookie = value.slice();
		else if (type === Parameter.forwardTsn) extensions.add(SctpChunkType.forwardTsn);
		else if (type === Parameter.extensions) for (const extension of value) extensions.add(extension);
	}
	const init = {
		...{ tag: u32(body, 0), window: u32(body, 4), firstTsn: u32(body, 12), cookie },
		...{ outboundStreams: u16(body, 8), inboundStreams: u16(body, 10) },
		hasForwardTsn: extensions.has(SctpChunkType.forwardTsn),
		hasReconfig: extensions.has(SctpChunkType.reconfig),
	};
	return init.tag === 0 || init.outboundStreams === 0 || init.inboundStreams === 0 ? null : init;
}

/** Writes INIT, or INIT ACK where there is a cookie. */
export function writeInit(init: SctpInit): SctpChunk {
	const extensions = [
		...(init.hasReconfig ? [SctpChunkType.reconfig] : []),
		...(init.hasForwardTsn ? [SctpChunkType.forwardTsn] : []),
	];
	const parameters = [
		...(init.cookie === null ? [] : [{ type: Parameter.cookie, value: init.cookie }]),
		...(init.hasForwardTsn ? [{ type: Parameter.forwardTsn, value: new Uint8Array(0) }] : []),
		...(extensions.length === 0 ? [] : [{ type: Parameter.extensions, value: Uint8Array.from(extensions) }]),
	];
	const body = writeParameters(INIT_BYTES, parameters);
	putU32(body, 0, init.tag);
	putU32(body, 4, init.window);
	putU16(body, 8, init.outboundStreams);
	putU16(body, 10, init.inboundStreams);
	putU32(body, 12, init.firstTsn);
	return { type: init.cookie === null ? SctpChunkType.init : SctpChunkType.initAck, flags: 0, body };
}

/** Reads DATA; `null` when it is damaged or has no data, which no peer sends. */
export function parseData({ flags, body }: SctpChunk): SctpData | null {
	const header = DATA_HEADER_BYTES - CHUNK_HEADER_BYTES;
	if (body.length <= header) return null;
	return {
		...{ tsn: u32(body, 0), stream: u16(body, 4), ssn: u16(body, 6), ppid: u32(body, 8) },
		unordered: (flags & DATA_UNORDERED) !== 0,
		begins: (flags & DATA_BEGINS) !== 0,
		ends: (flags & DATA_ENDS) !== 0,
		payload: body.subarray(header),
	};
}

export function writeData({ tsn, stream, ssn, ppid, unordered, begins, ends, payload }: SctpData): SctpChunk {
	const header = DATA_HEADER_BYTES - CHUNK_HEADER_BYTES;
	const body = new Uint8Array(header + payload.length);
	putU32(body, 0, tsn);
	putU16(body, 4, stream);
	putU16(body, 6, ssn);
	putU32(body, 8, ppid);
	body.set(payload, header);
	const flags = (unordered ? DATA_UNORDERED : 0) | (begins ? DATA_BEGINS : 0) | (ends ? DATA_ENDS : 0);
	return { type: SctpChunkType.data, flags, body };
}

/** Reads SACK; `null` when it is damaged. Blocks that begin behind their end are left out. */
export function parseSack(body: Uint8Array): SctpSack | null {
	if (body.length < 12) return null;
	const blocks = u16(body, 8);
	if (body.length !== 12 + 4 * (blocks + u16(body, 10))) return null;
	const gaps = Array.from({ length: blocks }, (_, at) => {
		return { first: u16(body, 12 + 4 * at), last: u16(body, 14 + 4 * at) };
	}).filter(({ first, last }) => first > 0 && first <= last);
	return { cumulativeTsn: u32(body, 0), window: u32(body, 4), gaps };
}

export function writeSack({ cumulativeTsn, window, gaps }: SctpSack): SctpChunk {
	const body = new Uint8Array(12 + 4 * gaps.length);
	putU32(body, 0, cumulativeTsn);
	putU32(body, 4, window);
	putU16(body, 8, gaps.length);
	for (const [at, { first, last }] of gaps.entries()) {
		putU16(body, 12 + 4 * at, first);
		putU16(body, 14 + 4 * at, last);
	}
	return { type: SctpChunkType.sack, flags: 0, body };
}

/** Reads FORWARD TSN, RFC 3758 §3.2; `null` when it is damaged. */
export function parseForwardTsn(body: Uint8Array): ForwardTsn | null {
	if (body.length < 4 || body.length % 4 !== 0) return null;
	const streams = Array.from({ length: body.length / 4 - 1 }, (_, at) => {
		return { stream: u16(body, 4 + 4 * at), ssn: u16(body, 6 + 4 * at) };
	});
	return { cumulativeTsn: u32(body, 0), streams };
}

/** The requests of RE-CONFIG to begin streams of the peer anew; others are left out, and nothing of damaged ones. */
export function parseStreamResets(body: Uint8Array): StreamReset[] {
	const resets: StreamReset[] = [];
	for (const { type, value } of parseParameters(body, 0) ?? []) {
		if (type !== Parameter.outgoingReset || value.length < 12) continue;
		const streams = Array.from({ length: (value.length - 12) >>> 1 }, (_, at) => u16(value, 12 + 2 * at));
		resets.push({ request: u32(value, 0), lastTsn: u32(value, 8), streams });
	}
	return resets;
}

/**
 * Answers a request, and makes one of our own in the same chunk. RFC 6525 §4.4: `done`, or under way: ask again.
 *
 * @see RFC 6525 §3.1
 */
export function writeResetResponse(request: number, isDone: boolean, own: StreamReset | null): SctpChunk {
	const response = new Uint8Array(8);
	putU32(response, 0, request);
	putU32(response, 4, isDone ? RESET_DONE : RESET_UNDER_WAY);
	const parameters: ChunkParameter[] = [{ type: Parameter.reconfigResponse, value: response }];
	if (own !== null) {
		const value = new Uint8Array(12 + 2 * own.streams.length);
		putU32(value, 0, own.request);
		putU32(value, 4, request);
		putU32(value, 8, own.lastTsn);
		for (const [at, stream] of own.streams.entries()) putU16(value, 12 + 2 * at, stream);
		parameters.push({ type: Parameter.outgoingReset, value });
	}
	return { type: SctpChunkType.reconfig, flags: 0, body: writeParameters(0, parameters) };
}

type ChunkParameter = { readonly type: number; readonly value: Uint8Array };

function parseParameters(body: Uint8Array, offset: number): ChunkParameter[] | null {
	const parameters: ChunkParameter[] = [];
	for (let at = offset; at < body.length; ) {
		if (body.length - at < 4 || parameters.length === MAX_PARAMETERS) return null;
		const length = u16(body, at + 2);
		if (length < 4 || length > body.length - at) return null;
		parameters.push({ type: u16(body, at), value: body.subarray(at + 4, at + length) });
		at += paddedTo4(length);
	}
	return parameters;
}

/** A body whose first bytes are left for the caller. */
function writeParameters(offset: number, parameters: readonly ChunkParameter[]): Uint8Array {
	const body = new Uint8Array(parameters.reduce((sum, { value }) => sum + 4 + paddedTo4(value.length), offset));
	let at = offset;
	for (const { type, value } of parameters) {
		putU16(body, at, type);
		putU16(body, at + 2, 4 + value.length);
		body.set(value, at + 4);
		at += 4 + paddedTo4(value.length);
	}
	return body;
}

/** A chunk that needs no more than its type, or that carries bytes which nobody here looks into. */
export function plainChunk(type: number, body: Uint8Array = new Uint8Array(0)): SctpChunk {
	return { type, flags: 0, body };
}
