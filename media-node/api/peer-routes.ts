/** WebRTC sessions over the control API. */

import { ANY_USER } from "#shared/config/user.ts";
import { GoneError } from "#shared/problem.ts";
import type { PeerSnapshot } from "../webrtc/peer-session.ts";
import type { ControlParts, ControlRoute } from "./control-route.ts";
import { byAge, found, listed, notFound } from "./items.ts";

/** List, single items and kicks: `webrtcsessions`. */
export function peerRoutes({
	peers,
	kick,
	settings,
}: Pick<ControlParts, "peers" | "kick" | "settings">): ControlRoute[] {
	const all = (): PeerSnapshot[] => {
		if (!settings().webrtc) throw new GoneError("http.not_found", "the WebRTC server is switched off");
		return byAge(peers());
	};
	return [
		{ method: "GET", path: "/webrtcsessions/list", handle: ({ query }) => listed(all(), query, peerJson) },
		{ method: "GET", path: "/webrtcsessions/get/*", handle: ({ name }) => peerJson(found(all(), name, "session")) },
		{
			method: "POST",
			path: "/webrtcsessions/kick/*",
			handle: ({ name }) => {
				const { id } = found(all(), name, "session");
				if (!kick(id)) throw notFound("session");
			},
		},
	];
}

function peerJson(peer: PeerSnapshot) {
	const { bytesReceived, bytesSent, packetsReceived, packetsSent, packetsLost, jitter, framesDiscarded } = peer;
	const { packetsRepaired, roundTrip, bitrate, bitrateLimit, keyFrameRequests, freezes } = peer;
	return {
		id: peer.id,
		created: new Date(peer.createdMs).toISOString(),
		remoteAddr: peer.remoteAddress,
		peerConnectionEstablished: peer.connected,
		localCandidate: peer.localCandidate,
		remoteCandidate: peer.remoteCandidate,
		state: peer.state,
		path: peer.path,
		query: peer.query,
		// Who need not say a name has none in MediaMTX.
		user: peer.user === ANY_USER ? "" : peer.user,
		userAgent: peer.userAgent,
		inboundBytes: bytesReceived,
		inboundRTPPackets: packetsReceived,
		inboundRTPPacketsLost: peer.state === "publish" ? packetsLost : 0,
		inboundRTPPacketsJitter: peer.state === "publish" ? jitter : 0,
		inboundRTCPPackets: peer.rtcpPacketsReceived,
		outboundBytes: bytesSent,
		outboundRTPPackets: packetsSent,
		outboundRTCPPackets: peer.rtcpPacketsSent,
		outboundFramesDiscarded: framesDiscarded,
		// Not of MediaMTX.
		...{ packetsLost, packetsRepaired, jitter, roundTrip, bitrate, bitrateLimit, keyFrameRequests, freezes },
		bytesReceived,
		bytesSent,
		rtpPacketsReceived: packetsReceived,
		rtpPacketsSent: packetsSent,
		rtpPacketsLost: peer.state === "publish" ? packetsLost : 0,
		rtpPacketsJitter: peer.state === "publish" ? jitter : 0,
		rtcpPacketsReceived: peer.rtcpPacketsReceived,
		rtcpPacketsSent: peer.rtcpPacketsSent,
	};
}
