/** The Transport header. RFC 2326 §12.39. */

import { ProtocolError } from "#shared/problem.ts";

export type TransportOffer = {
	readonly protocol: "tcp" | "udp";
	/** RTP/SAVP: the packets are SRTP. */
	readonly secure: boolean;
	readonly multicast: boolean;
	/** RTP and RTCP channels. */
	readonly interleaved: readonly [number, number] | null;
	/** RTP and RTCP ports of the client. */
	readonly clientPorts: readonly [number, number] | null;
	readonly mode: "play" | "record";
};

const MAX_OFFERS = 16;

/** What a client offers, in its order of preference; what is not RTP/(S)AVP is left out. @throws ProtocolError `rtsp.malformed` */
export function parseTransport(header: string): TransportOffer[] {
	return header
		.split(",", MAX_OFFERS)
		.map((text) => parseOffer(text.trim()))
		.filter((offer) => offer !== null);
}

function parseOffer(text: string): TransportOffer | null {
	const [specification = "", ...parameters] = text.split(";").map((part) => part.trim());
	const profile = /^RTP\/(S?)AVPF?(?:\/(TCP|UDP))?$/i.exec(specification);
	if (profile === null) return null;
	const values = new Map<string, string>();
	for (const parameter of parameters) {
		const [name = "", value = ""] = parameter.split("=", 2);
		values.set(name.trim().toLowerCase(), value.trim().replace(/^"|"$/g, ""));
	}
	return {
		protocol: profile[2]?.toUpperCase() === "TCP" ? "tcp" : "udp",
		secure: profile[1] !== "",
		multicast: values.has("multicast"),
		interleaved: parsePair(values.get("interleaved"), 255, 0),
		clientPorts: parsePair(values.get("client_port"), 65_535, 1),
		// RECORD has a word of its own in some clients.
		mode: /^(record|receive)$/i.test(values.get("mode") ?? "") ? "record" : "play",
	};
}

/** `a-b`, or `a` alone for `a` and the one above. */
function parsePair(text: string | undefined, max: number, min: number): readonly [number, number] | null {
	if (text === undefined) return null;
	const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
	const first = Number(match?.[1]);
	const second = match?.[2] === undefined ? first + 1 : Number(match[2]);
	if (match === null || first < min || first > max || second > max || second < min) {
		throw new ProtocolError(
			"rtsp.malformed",
			`The Transport header has a pair of numbers that is none: ${text.slice(0, 40)}`,
		);
	}
	return [first, second];
}

type Pair = readonly [number, number];

/** What was agreed on for one media. `secure`: its packets are SRTP. */
export type Transport = UnicastTransport | MulticastTransport;
export type UnicastTransport =
	| { readonly protocol: "tcp"; readonly secure: boolean; readonly channels: Pair }
	| { readonly protocol: "udp"; readonly secure: boolean; readonly clientPorts: Pair; readonly serverPorts: Pair };
export type MulticastTransport = {
	readonly protocol: "multicast";
	readonly secure: boolean;
	readonly group: string;
	readonly ports: Pair;
	readonly ttl: number;
};

/** The Transport header of an answer. `ssrc`: of what the server sends. */
export function writeTransport(transport: Transport, mode: "play" | "record", ssrc: number | null): string {
	const source = ssrc === null ? "" : `;ssrc=${ssrc.toString(16).toUpperCase().padStart(8, "0")}`;
	return `RTP/${transport.secure ? "SAVP" : "AVP"}${placeOf(transport)}${source}${mode === "record" ? ";mode=record" : ""}`;
}

function placeOf(transport: Transport): string {
	const pair = ([a, b]: Pair) => `${a}-${b}`;
	switch (transport.protocol) {
		case "tcp":
			return `/TCP;unicast;interleaved=${pair(transport.channels)}`;
		case "udp":
			return `/UDP;unicast;client_port=${pair(transport.clientPorts)};server_port=${pair(transport.serverPorts)}`;
		case "multicast":
			return `/UDP;multicast;destination=${transport.group};port=${pair(transport.ports)};ttl=${transport.ttl}`;
	}
}
