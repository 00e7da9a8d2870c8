/** The methods of a session that reads: DESCRIBE, SETUP, PLAY. RFC 2326 §10.2, §10.4, §10.5. */

import { GoneError, SluiceError } from "#shared/problem.ts";
import type { ReadableStreamOfPath } from "../stream/publication.ts";
import { wantsBackChannel } from "./back-channel.ts";
import type { RtspRequest, RtspResponse } from "./message.ts";
import type { StreamGroups } from "./multicast.ts";
import { Reader } from "./reader.ts";
import { controlOf, mediaIndexOf, parseRtspUrl, pathOf, pathOfSetup } from "./rtsp-url.ts";
import { writeDescription } from "./sdp.ts";
import { sealerOf, writeKeyManagement } from "./secure.ts";
import type { SessionContext } from "./session-context.ts";
import { agreeOn, openerOf } from "./session-setup.ts";
import type { Reading } from "./session-state.ts";
import { Talker } from "./talker.ts";
import { type Transport, writeTransport } from "./transport.ts";

export async function describe(session: SessionContext, request: RtspRequest): Promise<RtspResponse> {
	const url = parseRtspUrl(request.url);
	const path = pathOf(url);
	await session.authorize("read", path, request, url);
	const query = url.query.toString();
	const stream = await session.env.table.read(path, session.signal, query);
	const { isSecure, clock, udp } = session.env;
	const backChannel = wantsBackChannel(request.headers) ? (stream.backChannel?.format ?? null) : null;
	session.described = { path, query, stream, talks: backChannel !== null };
	const keyOf = (index: number) => sealerOf(stream).messageFor(stream, index, clock.now());
	return {
		status: 200,
		headers: { "Content-Base": `${url.origin}/${path}/`, "Content-Type": "application/sdp" },
		body: writeDescription(stream.tracks, {
			title: path,
			isV6: session.peer.address.includes(":"),
			keyOf: isSecure && udp !== null ? keyOf : null,
			backChannel,
		}),
	};
}

export async function setupPlay(session: SessionContext, request: RtspRequest): Promise<RtspResponse> {
	const state = session.expectState("init", "ready");
	const reading = state.kind === "ready" ? state : await toRead(session, request);
	const { path, stream, transports, talker } = reading;
	const index = mediaIndexOf(request.url) ?? (stream.tracks.length === 1 ? 0 : -1);
	const mayTalk = session.described?.talks === true || wantsBackChannel(request.headers);
	if (index === stream.tracks.length && mayTalk) return setupTalk(session, request, reading, index);
	if (stream.tracks[index] === undefined)
		throw new GoneError("stream.not_found", `Path ${path} has no media of this control URL`);
	let { groups } = reading;
	const transport = agreeOn(session, request, "play", index, withTalker(transports, talker, stream), () => {
		groups ??= session.env.multicast?.join(stream) ?? null;
		return (groups as StreamGroups).place(index);
	});
	transports.set(index, transport);
	session.state = { ...reading, kind: "ready", groups };
	const ssrc = stream.position(index)?.ssrc ?? null;
	const message = transport.secure ? sealerOf(stream).messageFor(stream, index, session.env.clock.now()) : null;
	return {
		status: 200,
		headers: {
			Transport: writeTransport(transport, "play", ssrc),
			...(message === null ? {} : { KeyMgmt: writeKeyManagement(request.url, message) }),
		},
	};
}

/** The media on which the reader talks. */
function setupTalk(session: SessionContext, request: RtspRequest, reading: Reading, index: number): RtspResponse {
	const { stream, transports, talker } = reading;
	const transport = agreeOn(session, request, "play", index, transports, null);
	if (transport.protocol === "multicast") throw new TypeError("Nobody can have agreed to talk to a group");
	const { opener, headers } = openerOf(session, request, transport, null);
	talker?.[Symbol.dispose]();
	session.state = { ...reading, kind: "ready", talker: new Talker({ stream, transport, opener }) };
	return { status: 200, headers: { Transport: writeTransport(transport, "play", null), ...headers } };
}

/** The stream that a SETUP is about: that of the DESCRIBE before, or that of its URL. */
async function toRead(session: SessionContext, request: RtspRequest): Promise<Reading> {
	const url = parseRtspUrl(request.url);
	const path = pathOfSetup(url);
	await session.authorize("read", path, request, url);
	const described = session.described?.path === path ? session.described : null;
	// The control URLs of a description have no query: it is the one that was described with.
	const query = url.query.toString() || (described?.query ?? "");
	const stream = described?.stream ?? (await session.env.table.read(path, session.signal, query));
	return { path, query, stream, transports: new Map(), groups: null, talker: null };
}

/** Answers a PLAY; media follow the answer. */
export function preparePlay(session: SessionContext, request: RtspRequest): RtspResponse {
	if (session.state.kind === "playing") return { status: 200 };
	const { stream, transports } = session.expectState("ready");
	const base = request.url.replace(/\/+$/, "");
	const info = [...transports.keys()].flatMap((index) => {
		const position = stream.position(index);
		return position === null
			? []
			: [`url=${base}/${controlOf(index)};seq=${position.sequence};rtptime=${position.rtpTime}`];
	});
	return { status: 200, headers: { Range: "npt=now-", ...(info.length > 0 ? { "RTP-Info": info.join(",") } : {}) } };
}

/** Begins to send. */
export function play(session: SessionContext): void {
	const state = session.state;
	if (state.kind !== "ready") return;
	const { path, query, stream, transports, groups, talker } = state;
	const { isSecure, udp } = session.env;
	const routes: Disposable[] = [];
	try {
		const reader = new Reader({
			env: session.env,
			owner: session,
			stream,
			transports,
			peer: session.peer,
			info: {
				id: session.id,
				type: isSecure ? "rtspsSession" : "rtspSession",
				remoteAddress: session.remoteAddress,
				query,
			},
		});
		if (groups !== null) routes.push(groups.listen());
		for (const transport of transports.values()) {
			if (transport.protocol !== "udp") continue;
			// Receiver reports keep a session alive. RFC 2326 §A.
			const route = udp?.rtcp.receive(session.peer.address, transport.clientPorts[1], () => session.hear());
			if (route != null) routes.push(route);
		}
		if (talker?.transport.protocol === "udp") routes.push(...listen(session, talker, talker.transport.clientPorts));
		session.state = { ...state, kind: "playing", reader, routes };
		session.log.info({ path }, "A reader came");
	} catch (error) {
		// The stream ended, or filled up, since it was described: PLAY was answered, so the connection tells.
		session.close(
			error instanceof SluiceError
				? error
				: new GoneError("session.closed", "The stream cannot be read", { cause: error }),
		);
	}
}

/** Takes what a reader says by UDP. */
function listen(session: SessionContext, talker: Talker, [rtpPort, rtcpPort]: readonly [number, number]): Disposable[] {
	const { udp } = session.env;
	const rtp = udp?.rtp.receive(session.peer.address, rtpPort, (bytes) => {
		session.hear();
		session.received(bytes.length);
		talker.packet(bytes, 0, bytes.length);
	});
	const rtcp = udp?.rtcp.receive(session.peer.address, rtcpPort, () => session.hear());
	if (rtp == null) session.log.warn({ rtpPort }, "The reader cannot talk: its port belongs to another session");
	return [rtp, rtcp].filter((route) => route != null);
}

/** The transports of all media, the back channel's among them. */
function withTalker(
	transports: ReadonlyMap<number, Transport>,
	talker: Talker | null,
	{ tracks }: ReadableStreamOfPath,
): ReadonlyMap<number, Transport> {
	return talker === null ? transports : new Map([...transports, [tracks.length, talker.transport]]);
}
