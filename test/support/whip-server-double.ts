/** A server of WHIP and WHEP for clients of ours: the HTTP is this file's, and the rest is real. */

import http from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "#shared/clock.ts";
import type { Track } from "../../media-node/stream/track.ts";
import { answerPublisher } from "../../media-node/webrtc/sdp/negotiate-publish.ts";
import { answerViewer, type OutgoingTrack } from "../../media-node/webrtc/sdp/negotiate-read.ts";
import {
	localTransportOf,
	type RemoteTransport,
	remoteDescriptionOf,
} from "../../media-node/webrtc/sdp/negotiation.ts";
import type { Sdp } from "../../media-node/webrtc/sdp/sdp.ts";
import { parseSdp } from "../../media-node/webrtc/sdp/sdp-parse.ts";
import { writeSdp } from "../../media-node/webrtc/sdp/sdp-write.ts";
import { WebRtcEndpoint } from "../../media-node/webrtc/transport/endpoint.ts";
import type { WebRtcTransport } from "../../media-node/webrtc/transport/transport.ts";
import { quiet } from "./control-api.ts";

export type ServerSession = {
	readonly transport: WebRtcTransport;
	/** To a viewer. */
	readonly tracks: readonly OutgoingTrack[];
	/** Codecs of a publisher. */
	readonly codecs: readonly string[];
	/** Packets in clear. */
	readonly packets: Uint8Array[];
	readonly reports: Uint8Array[];
};

export class WhipServerDouble implements AsyncDisposable {
	readonly requests: { readonly method: string; readonly authorization: string }[] = [];
	readonly sessions: ServerSession[] = [];
	/** What viewers get. */
	tracks: readonly Track[] = [];
	/** Makes another answer of the one that would be right. */
	changed: (answer: Sdp) => Sdp = (answer) => answer;
	readonly #endpoint: WebRtcEndpoint;
	readonly #http = http.createServer((request, response) => {
		const { method = "", headers } = request;
		this.requests.push({ method, authorization: headers.authorization ?? "" });
		let body = "";
		request.on("data", (chunk) => {
			body += chunk;
		});
		request.on("end", () => {
			if (method !== "POST") response.writeHead(200).end();
			else response.writeHead(201, { "content-type": "application/sdp", location: "/1" }).end(this.#answer(body));
		});
	});

	private constructor(endpoint: WebRtcEndpoint) {
		this.#endpoint = endpoint;
	}

	static async open(): Promise<WhipServerDouble> {
		const endpoint = await WebRtcEndpoint.open({
			udp: { host: "127.0.0.1", port: 0, key: "webrtcLocalUDPAddress" },
			...{ tcp: null, readBufferBytes: 0, handshakeTimeoutMs: 10_000, clock: systemClock, log: quiet },
			hosts: { fromInterfaces: true, interfaces: [], additionalHosts: [] },
		});
		const server = new WhipServerDouble(endpoint);
		await new Promise<void>((resolve) => server.#http.listen(0, "127.0.0.1", resolve));
		return server;
	}

	/** Host and port, for a URL. */
	get host(): string {
		return `127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
	}

	/** Of UDP. */
	get mediaPort(): number {
		return this.#endpoint.udpPort ?? 0;
	}

	#answer(body: string): string {
		const offer = parseSdp(body);
		const transport = this.#endpoint.createTransport();
		const local = localTransportOf(transport.local, "1");
		const isViewer = offer.sections.some(({ direction }) => direction === "recvonly");
		const { answer, remote, ...agreed } = isViewer ? this.#toViewer(offer, local) : this.#toPublisher(offer, local);
		transport.setRemote(remoteDescriptionOf(remote));
		const session = { transport, packets: [] as Uint8Array[], reports: [] as Uint8Array[], ...agreed };
		transport.onRtp = (packet) => session.packets.push(packet.slice());
		transport.onRtcp = (packet) => session.reports.push(packet.slice());
		this.sessions.push(session);
		return writeSdp(this.changed(answer));
	}

	#toViewer(offer: Sdp, local: ReturnType<typeof localTransportOf>): Agreed {
		let ssrc = 1000;
		const options = { local, cname: "double", newSsrc: () => ssrc++ };
		return { ...answerViewer(offer, this.tracks, options), codecs: [] };
	}

	#toPublisher(offer: Sdp, local: ReturnType<typeof localTransportOf>): Agreed {
		const { answer, remote, media } = answerPublisher(offer, { local, acceptDataChannel: false });
		return { answer, remote, tracks: [], codecs: media.map(({ track }) => track.codec.name) };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#http.closeAllConnections();
		await new Promise((resolve) => this.#http.close(resolve));
		await this.#endpoint[Symbol.asyncDispose]();
	}
}

type Agreed = {
	readonly answer: Sdp;
	readonly remote: RemoteTransport;
	readonly tracks: readonly OutgoingTrack[];
	readonly codecs: readonly string[];
};
