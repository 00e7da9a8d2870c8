/** What SETUP agrees on: a transport for each media, and keys when it is SRTP. */

import { randomBytes } from "node:crypto";
import { ProtocolError } from "#shared/problem.ts";
import { agree, takenChannels } from "./agree.ts";
import type { RtspRequest } from "./message.ts";
import { keyManagementOf, Opener, writeKeyManagement } from "./secure.ts";
import type { SessionContext } from "./session-context.ts";
import { parseTransport, type Transport } from "./transport.ts";

/** Takes the first offer that this server can serve. @throws ProtocolError `rtsp.transport` */
export function agreeOn(
	session: SessionContext,
	{ headers }: RtspRequest,
	mode: "play" | "record",
	index: number,
	transports: ReadonlyMap<number, Transport>,
	group: Parameters<typeof agree>[2]["group"],
): Transport {
	const { transports: kinds, isSecure, udp, multicast } = session.env;
	return agree(parseTransport(headers.get("transport") ?? ""), mode, {
		kinds,
		isSecure,
		serverPorts: udp === null ? null : [udp.rtp.port, udp.rtcp.port],
		group: multicast === null ? null : group,
		kind: [...transports.values()][0]?.protocol ?? null,
		taken: takenChannels(transports, index),
		index,
	});
}

/** What decrypts the media that the client sends, and what it is told about that. @throws ProtocolError `rtsp.transport` */
export function openerOf(
	session: SessionContext,
	{ headers, url }: RtspRequest,
	{ secure }: Transport,
	described: string | null,
): { readonly opener: Opener | null; readonly headers: Readonly<Record<string, string>> } {
	if (!secure) return { opener: null, headers: {} };
	const message = keyManagementOf(headers.get("keymgmt") ?? "") ?? described;
	if (message === null) throw new ProtocolError("rtsp.transport", "RTP/SAVP takes a key: send it in a KeyMgmt header");
	const opener = new Opener(message);
	const ours = opener.reports.message(randomBytes(4).readUInt32BE(), session.env.clock.now());
	return { opener, headers: { KeyMgmt: writeKeyManagement(url, ours) } };
}
