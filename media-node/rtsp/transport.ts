/** The Transport header. RFC 2326 §12.39. */

import { ProtocolError } from "#shared/problem.ts";

export type TransportOffer = {
	readonly protocol: "tcp" | "udp";
	readonly multicast: boolean;
	/** RTP and RTCP channels. */
	readonly interleaved: readonly [number, number] | null;
	/** RTP and RTCP ports of the client. */
	readonly clientPorts: readonly [number, number] | null;
	readonly mode: "play" | "record";
};

const MAX_OFFERS = 16;

/** What a client offers, in its order of preference; what is not RTP/AVP is left out. @throws ProtocolError `rtsp.malformed` */
export function parseTransport(header: string): TransportOffer[] {
	return header
		.split(",", MAX_OFFERS)
		.map((text) => parseOffer(text.trim()))
		.filter((offer) => offer !== null);
}

function parseOffer(text: string): TransportOffer | null {
	const [specification = "", ...parameters] = text.split(";").map((part) => part.trim());
	const profile = /^RTP\/AVP(?:\/(TCP|UDP))?$/i.exec(specification);
	if (profile === null) return null;
	const values = new Map<string, string>();
	for (const parameter of parameters) {
		const [name = "", value = ""] = parameter.split("=", 2);
		values.set(name.trim().toLowerCase(), value.trim().replace(/^"|"$/g, ""));
	}
	return {
		protocol: profile[1]?.toUpperCase() === "TCP" ? "tcp" : "udp",
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

/** What was agreed on for one media. */
export type Transport =
	| { readonly protocol: "tcp"; readonly channels: readonly [number, number] }
	| {
			readonly protocol: "udp";
			readonly clientPorts: readonly [number, number];
			readonly serverPorts: readonly [number, number];
	  };

/** The Transport header of an answer. `ssrc`: of what the server sends. */
export function writeTransport(transport: Transport, mode: "play" | "record", ssrc: number | null): string {
	const pair = ([a, b]: readonly [number, number]) => `${a}-${b}`;
	const place =
		transport.protocol === "tcp"
			? `RTP/AVP/TCP;unicast;interleaved=${pair(transport.channels)}`
			: `RTP/AVP/UDP;unicast;client_port=${pair(transport.clientPorts)};server_port=${pair(transport.serverPorts)}`;
	const source = ssrc === null ? "" : `;ssrc=${ssrc.toString(16).toUpperCase().padStart(8, "0")}`;
	return `${place}${source}${mode === "record" ? ";mode=record" : ""}`;
}
