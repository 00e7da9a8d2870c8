/** The Transport header as a client writes and reads it. RFC 2326 §12.39. Pure. */

/** What one SETUP asks for. `secure`: SRTP. */
export type TransportWish =
	| { readonly protocol: "tcp"; readonly channels: readonly [number, number] }
	| { readonly protocol: "udp"; readonly secure: boolean; readonly clientPorts: readonly [number, number] }
	| { readonly protocol: "multicast"; readonly secure: boolean };

/** What the server says it gives; `null` for what it does not say. */
export type TransportAnswer = {
	readonly protocol: "tcp" | "udp" | "multicast";
	/** It is SRTP. */
	readonly isSecure: boolean;
	readonly channels: readonly [number, number] | null;
	readonly serverPorts: readonly [number, number] | null;
	/** Of a multicast group. */
	readonly ports: readonly [number, number] | null;
	/** Addresses as they came. */
	readonly source: string | null;
	readonly destination: string | null;
};

const MAX_HEADER_LENGTH = 4 * 1024;

/** The header of a request. */
export function writeTransportWish(wish: TransportWish): string {
	switch (wish.protocol) {
		case "tcp":
			return `RTP/AVP/TCP;unicast;interleaved=${wish.channels.join("-")}`;
		case "udp":
			return `${profileOf(wish)};unicast;client_port=${wish.clientPorts.join("-")}`;
		case "multicast":
			return `${profileOf(wish)};multicast`;
	}
}

function profileOf({ secure }: { readonly secure: boolean }): string {
	return secure ? "RTP/SAVP" : "RTP/AVP";
}

/** Reads a server's answer, in whatever way cameras misspell it. `null` when it is not RTP at all. Never throws. */
export function parseTransportAnswer(header: string): TransportAnswer | null {
	// One transport was agreed on; some servers list more, by commas.
	const first = header.slice(0, MAX_HEADER_LENGTH).split(",", 1)[0] ?? "";
	const [specification = "", ...parameters] = first.split(";").map((part) => part.trim());
	const profile = /^RTP\/(S?)AVPF?(?:\/(TCP|UDP))?$/i.exec(specification);
	if (profile === null) return null;
	const values = new Map<string, string>();
	for (const parameter of parameters) {
		const [name = "", value = ""] = parameter.split("=", 2);
		values.set(name.trim().toLowerCase(), value.trim().replace(/^"|"$/g, ""));
	}
	const channels = pairOf(values.get("interleaved"), 0, 255);
	return {
		// Cameras forget the /TCP behind the profile, but not the channels.
		protocol:
			profile[2]?.toUpperCase() === "TCP" || channels !== null ? "tcp" : values.has("multicast") ? "multicast" : "udp",
		isSecure: profile[1] !== "",
		channels,
		serverPorts: pairOf(values.get("server_port"), 1, 65_535),
		ports: pairOf(values.get("port"), 1, 65_535),
		source: values.get("source") || null,
		destination: values.get("destination") || null,
	};
}

/** `a-b`, or `a` alone for `a` and the one above; `null` for what is out of bounds. */
function pairOf(text: string | undefined, min: number, max: number): readonly [number, number] | null {
	const match = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(text ?? "");
	if (match === null) return null;
	const first = Number(match[1]);
	const second = match[2] === undefined ? first + 1 : Number(match[2]);
	return first < min || second < min || first > max || second > max ? null : [first, second];
}

export type SessionHeader = {
	readonly id: string;
	/** 5 to 86400; `null` when the server does not say one. */
	readonly timeoutS: number | null;
};

/** What is shorter is a mistake, and would make a client ask without end. */
const MIN_TIMEOUT_S = 5;
const MAX_TIMEOUT_S = 86_400;
const MAX_SESSION_LENGTH = 512;

/** `id;timeout=s`. `null` when there is no id. */
export function parseSessionHeader(header: string | undefined): SessionHeader | null {
	const [id = "", ...parameters] = (header ?? "")
		.slice(0, MAX_SESSION_LENGTH)
		.split(";")
		.map((part) => part.trim());
	if (id === "") return null;
	const timeout = parameters
		.map((text) => /^timeout\s*=\s*"?(\d{1,9})/i.exec(text)?.[1])
		.find((text) => text !== undefined);
	if (timeout === undefined) return { id, timeoutS: null };
	return { id, timeoutS: Math.min(MAX_TIMEOUT_S, Math.max(MIN_TIMEOUT_S, Number(timeout))) };
}
