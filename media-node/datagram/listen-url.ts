/** The URL of a source that listens: `udp+rtp://ADDRESS:PORT?interface=NAME&source=ADDRESS`. Pure. */

import { isIP, isIPv6 } from "node:net";
import { InputError } from "#shared/problem.ts";

export type ListenUrl = {
	/** A name, or an address; of IPv6 without brackets. Packets are received that are sent to it. */
	readonly host: string;
	/** 1 to 65535. */
	readonly port: number;
	/** Name or address of the network interface on which a group is joined; `null`: on all. */
	readonly interface: string | null;
	/** The only address from which packets are taken; `null`: from any. */
	readonly source: string | null;
};

const MAX_URL_LENGTH = 2_048;
const URL_PARTS = /^[a-z+]+:\/\/(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^[\]:/?#@]+)):(\d{1,5})\/?(?:\?([^#]*))?(?:#.*)?$/i;

/** @throws InputError `config.invalid` */
export function parseListenUrl(text: string): ListenUrl {
	const match = text.length > MAX_URL_LENGTH ? null : URL_PARTS.exec(text.trim());
	const host = match?.[1] ?? match?.[2] ?? "";
	const port = Number(match?.[3]);
	const query = new URLSearchParams(match?.[4] ?? "");
	const found = (name: string) => query.get(name)?.trim() || null;
	if (match === null || !(port >= 1 && port <= 65_535) || (match[1] !== undefined && !isIPv6(host))) {
		throw new InputError(
			"config.invalid",
			"A source that listens has the form udp+mpegts://ADDRESS:PORT or udp+rtp://ADDRESS:PORT, perhaps with ?interface=NAME or ?source=ADDRESS",
		);
	}
	const source = found("source");
	if (source !== null && isIP(source) === 0) {
		throw new InputError("config.invalid", "The source in the URL of a source that listens is not an IP address");
	}
	return { host, port, interface: found("interface"), source };
}

/** Says whether an address is one of a multicast group: RFC 5771, RFC 4291 §2.7. */
export function isGroup(address: string): boolean {
	return isIPv6(address) ? /^ff/i.test(address) : /^2(2[4-9]|3\d)\./.test(address);
}

/** An address as it is compared: IPv4 that came to an IPv6 socket is IPv4, and nothing has a zone. */
export function plainAddress(address: string): string {
	return address
		.toLowerCase()
		.replace(/%.*$/, "")
		.replace(/^::ffff:(?=\d+\.)/, "");
}
