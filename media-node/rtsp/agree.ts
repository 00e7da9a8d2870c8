/** Which of the transports that a client offers is taken. Pure. */

import { ProtocolError } from "#shared/problem.ts";
import type { Transport, TransportOffer } from "./transport.ts";

export type TransportKind = "tcp" | "udp" | "multicast";

export type Terms = {
	/** What the server is to serve. */
	readonly kinds: readonly TransportKind[];
	/** The connection is RTSPS: datagrams beside it must be SRTP. */
	readonly isSecure: boolean;
	/** Ports of RTP and RTCP, plain or secure as the connection is; `null` when UDP is not served. */
	readonly serverPorts: readonly [number, number] | null;
	/** The group of the media; `null` when it cannot be sent to one. */
	readonly group:
		| (() => { readonly group: string; readonly ports: readonly [number, number]; readonly ttl: number })
		| null;
	/** What was agreed on for other media of the session: one session, one kind. RFC 2326 §10.4. */
	readonly kind: TransportKind | null;
	/** Channels that other media of the session have. */
	readonly taken: ReadonlySet<number>;
	/** The media's place in its session, for a client that leaves the choice of channels to us. */
	readonly index: number;
};

/** @throws ProtocolError `rtsp.transport` when none of the offers can be served */
export function agree(offers: readonly TransportOffer[], mode: "play" | "record", terms: Terms): Transport {
	for (const offer of offers) {
		const transport = accepted(offer, mode, terms);
		if (transport !== null) return transport;
	}
	const served = terms.kinds.map((kind) => WORDS[kind]).join(" or ");
	const secure = terms.isSecure ? ", with RTP/SAVP for UDP" : "";
	throw new ProtocolError("rtsp.transport", `None of the offered transports is served here: use ${served}${secure}`);
}

const WORDS: Readonly<Record<TransportKind, string>> = {
	tcp: "RTP/AVP/TCP interleaved",
	udp: "RTP/AVP unicast",
	multicast: "RTP/AVP multicast",
};

function accepted(offer: TransportOffer, mode: "play" | "record", terms: Terms): Transport | null {
	const { kinds, isSecure, serverPorts, group, taken, index, kind } = terms;
	const { secure } = offer;
	if (mode === "record" && offer.mode !== "record") return null;
	if (kind !== null && kind !== (offer.multicast ? "multicast" : offer.protocol)) return null;
	// Keys are told over the connection: they are worth nothing where anybody can read it.
	if (secure && !isSecure) return null;
	if (offer.multicast) {
		if (!kinds.includes("multicast") || mode === "record" || group === null || secure !== isSecure) return null;
		return { protocol: "multicast", secure, ...group() };
	}
	if (offer.protocol === "tcp") {
		if (!kinds.includes("tcp")) return null;
		const channels = offer.interleaved ?? ([2 * index, 2 * index + 1] as const);
		const isFree = channels[0] !== channels[1] && channels.every((channel) => !taken.has(channel));
		return isFree ? { protocol: "tcp", secure, channels } : null;
	}
	if (!kinds.includes("udp") || serverPorts === null || offer.clientPorts === null || secure !== isSecure) return null;
	return { protocol: "udp", secure, clientPorts: offer.clientPorts, serverPorts };
}

/** The channels that the media of a session have. */
export function takenChannels(transports: ReadonlyMap<number, Transport>, except: number): ReadonlySet<number> {
	const taken = [...transports].flatMap(([index, transport]) =>
		index !== except && transport.protocol === "tcp" ? transport.channels : [],
	);
	return new Set(taken);
}
