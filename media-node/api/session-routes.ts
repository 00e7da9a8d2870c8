/** RTSP connections and sessions over the control API. A connection of ours has one session, and shares its ID. */

import { ANY_USER } from "#shared/config/user.ts";
import { GoneError } from "#shared/problem.ts";
import type { SessionSnapshot } from "../rtsp/session-state.ts";
import type { ControlParts, ControlRoute } from "./control-route.ts";
import { byAge, found, listed, notFound } from "./items.ts";

type SessionParts = Pick<ControlParts, "sessions" | "kick" | "settings">;

const TRANSPORTS = { udp: "UDP", multicast: "UDP-multicast", tcp: "TCP" } as const;

/** Lists, single items and kicks of both servers: `rtspconns`, `rtspsessions`, `rtspsconns`, `rtspssessions`. */
export function sessionRoutes(parts: SessionParts): ControlRoute[] {
	return [...routesOf(parts, false), ...routesOf(parts, true)];
}

function routesOf({ sessions, kick, settings }: SessionParts, secure: boolean): ControlRoute[] {
	const server = secure ? "rtsps" : "rtsp";
	const all = (): SessionSnapshot[] => {
		const { rtsp, rtspEncryption } = settings();
		const runs = rtsp && rtspEncryption !== (secure ? "no" : "strict");
		if (!runs) throw new GoneError("http.not_found", `the ${server.toUpperCase()} server is switched off`);
		return byAge(sessions().filter((session) => session.secure === secure));
	};
	const begun = () => all().filter(hasSession);
	return [
		{
			method: "GET",
			path: `/${server}conns/list`,
			handle: ({ query }) => listed(all(), query, connectionJson),
		},
		{
			method: "GET",
			path: `/${server}conns/get/*`,
			handle: ({ name }) => connectionJson(found(all(), name, "connection")),
		},
		{
			method: "GET",
			path: `/${server}sessions/list`,
			handle: ({ query }) => listed(begun(), query, sessionJson),
		},
		{
			method: "GET",
			path: `/${server}sessions/get/*`,
			handle: ({ name }) => sessionJson(found(begun(), name, "session")),
		},
		{
			method: "POST",
			path: `/${server}sessions/kick/*`,
			handle: ({ name }) => {
				const { id } = found(begun(), name, "session");
				if (!kick(id)) throw notFound("session");
			},
		},
	];
}

/** A connection that has not named a path has no session yet. */
function hasSession({ path }: SessionSnapshot): boolean {
	return path !== null;
}

function connectionJson(session: SessionSnapshot) {
	return {
		id: session.id,
		created: new Date(session.createdMs).toISOString(),
		remoteAddr: session.remoteAddress,
		session: hasSession(session) ? session.id : null,
		tunnel: session.tunnel,
		inboundBytes: session.bytesReceived,
		outboundBytes: session.bytesSent,
		bytesReceived: session.bytesReceived,
		bytesSent: session.bytesSent,
	};
}

/** The figures that MediaMTX has and this version does not count are 0. */
function sessionJson(session: SessionSnapshot) {
	const { transport, bytesReceived, bytesSent, packetsSent, packetsLost, packetsDiscarded } = session;
	return {
		id: session.id,
		created: new Date(session.createdMs).toISOString(),
		remoteAddr: session.remoteAddress,
		state: session.state,
		path: session.path ?? "",
		query: session.query,
		// Who need not say a name has none in MediaMTX.
		user: session.user === ANY_USER ? "" : session.user,
		userAgent: session.userAgent,
		transport: transport === null ? null : TRANSPORTS[transport],
		profile: transport === null ? null : session.secure ? "SAVP" : "AVP",
		conns: [session.id],
		inboundBytes: bytesReceived,
		inboundRTPPackets: 0,
		inboundRTPPacketsLost: packetsLost,
		inboundRTPPacketsInError: 0,
		inboundRTPPacketsJitter: 0,
		inboundRTCPPackets: 0,
		inboundRTCPPacketsInError: 0,
		outboundBytes: bytesSent,
		outboundRTPPackets: packetsSent,
		outboundRTPPacketsReportedLost: 0,
		outboundRTPPacketsDiscarded: packetsDiscarded,
		outboundRTCPPackets: 0,
		bytesReceived,
		bytesSent,
		rtpPacketsReceived: 0,
		rtpPacketsSent: packetsSent,
		rtpPacketsLost: packetsLost,
		rtpPacketsInError: 0,
		rtpPacketsJitter: 0,
		rtcpPacketsReceived: 0,
		rtcpPacketsSent: 0,
		rtcpPacketsInError: 0,
	};
}
