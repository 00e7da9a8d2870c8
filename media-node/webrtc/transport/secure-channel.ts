import { GoneError, ProtocolError } from "#shared/problem.ts";
import type { Logger } from "../../log.ts";
import type { SrtpProfile } from "../../srtp/profile.ts";
import { SrtcpContext } from "../../srtp/srtcp-context.ts";
import { SrtpContext } from "../../srtp/srtp-context.ts";
import { packetKind } from "./demultiplex.ts";
import { type DtlsCertificate, DtlsConnection, type DtlsLibrary, type SrtpKeys } from "./dtls-adapter.ts";
import type { Fingerprint } from "./dtls-proof.ts";
import { MAX_SENT_BYTES, type Route } from "./route.ts";

export type SecureChannelOptions = {
	readonly library: DtlsLibrary;
	readonly certificate: DtlsCertificate;
	/** Of SRTP, best first. */
	readonly profiles: readonly SrtpProfile[];
	/** Where packets go now; `null`: nowhere. */
	readonly route: () => Route | null;
	readonly onRtp: (packet: Uint8Array) => void;
	readonly onRtcp: (packet: Uint8Array) => void;
	readonly onData: (bytes: Uint8Array) => void;
	/** The peer has proved itself. */
	readonly onConnected: () => void;
	/** A sentence why; `null`: the peer said goodbye. */
	readonly onEnded: (failure: string | null) => void;
	readonly log: Logger;
};

/** DTLS and SRTP with one peer, over whatever ICE has found. Packets are views that hold until a handler returns. */
export class SecureChannel {
	readonly #options: SecureChannelOptions;
	#dtls: DtlsConnection | null = null;
	#started = false;
	#isConnected = false;
	#rtpOut: SrtpContext | null = null;
	#rtcpOut: SrtcpContext | null = null;
	#rtpIn: SrtpContext | null = null;
	#rtcpIn: SrtcpContext | null = null;
	/** `null` until it is agreed upon. */
	profile: SrtpProfile | null = null;
	/** Of RTP, and of RTCP. */
	packetsSent = 0;
	rtcpPacketsSent = 0;
	bytesSent = 0;
	packetsReceived = 0;
	rtcpPacketsReceived = 0;
	bytesReceived = 0;
	/** Packets of SRTP that were too early, damaged, forged or there before. */
	packetsRefused = 0;
	/** Packets that the network had no room for. */
	packetsUnsent = 0;

	constructor(options: SecureChannelOptions) {
		this.#options = options;
	}

	get isConnected(): boolean {
		return this.#isConnected;
	}

	/** What keeps the handshake from ending. */
	get trouble(): string {
		return `the DTLS handshake did not end${this.#dtls?.trouble ? ` (${this.#dtls.trouble})` : ""}`;
	}

	/** Takes what the peer said of its certificate. `role`: ours. */
	setPeer(fingerprint: Fingerprint, role: "client" | "server"): void {
		const { library, certificate, profiles, route, onData, onEnded } = this.#options;
		this.#dtls = new DtlsConnection({
			...{ library, certificate, profiles, fingerprint, role, onData },
			onEnded: (failure) => onEnded(failure === null ? null : `The handshake failed: ${failure}`),
			send: (datagram) => void route()?.send(datagram),
			onConnected: (keys) => this.#established(keys),
		});
	}

	/** Begins the handshake, once. */
	start(): void {
		if (this.#started || this.#dtls === null || this.#options.route() === null) return;
		this.#started = true;
		this.#dtls.start();
	}

	/** Takes a packet that is no STUN. It is decrypted where it stands. */
	receive(bytes: Uint8Array): void {
		try {
			this.bytesReceived += bytes.length;
			const kind = packetKind(bytes);
			if (kind === "dtls") {
				this.#dtls?.receive(bytes);
				return;
			}
			if (kind === "rtp") this.packetsReceived++;
			else this.rtcpPacketsReceived++;
			const context = kind === "rtp" ? this.#rtpIn : this.#rtcpIn;
			const length = context === null ? -1 : context.unprotect(bytes, 0, bytes.length, bytes, 0);
			if (length === -1) this.packetsRefused++;
			else if (kind === "rtp") this.#options.onRtp(bytes.subarray(0, length));
			else this.#options.onRtcp(bytes.subarray(0, length));
		} catch (error) {
			this.#options.log.error({ err: error }, "A WebRTC session ends because of an error of the program");
			this.#options.onEnded("The session ended because of an error inside the node");
		}
	}

	/** Sends an RTP packet, which is only read. `false`: it was not sent. */
	sendRtp(bytes: Uint8Array): boolean {
		const isSent = this.#send(bytes, this.#rtpOut);
		if (isSent) this.packetsSent++;
		return isSent;
	}

	/** Sends a compound RTCP packet, which is only read. `false`: it was not sent. */
	sendRtcp(bytes: Uint8Array): boolean {
		const isSent = this.#send(bytes, this.#rtcpOut);
		if (isSent) this.rtcpPacketsSent++;
		return isSent;
	}

	/** Sends a packet of SCTP. `false`: it was not sent. */
	sendData(bytes: Uint8Array): boolean {
		return this.#dtls?.send(bytes) ?? false;
	}

	/** Says goodbye. */
	close(): void {
		this.#dtls?.close();
		this.#rtpOut = this.#rtcpOut = this.#rtpIn = this.#rtcpIn = null;
	}

	#send(bytes: Uint8Array, context: SrtpContext | SrtcpContext | null): boolean {
		const route = this.#options.route();
		if (route === null || context === null || bytes.length + context.overheadBytes > MAX_SENT_BYTES) return false;
		const out = route.outgoing();
		const length = context.protect(bytes, 0, bytes.length, out, 0);
		if (length === -1) return false;
		if (!route.sendOutgoing(length)) {
			this.packetsUnsent++;
			return false;
		}
		this.bytesSent += length;
		return true;
	}

	#established(keys: SrtpKeys | null): void {
		if (keys !== null) {
			this.profile = keys.local.profile;
			this.#rtpOut = new SrtpContext(keys.local);
			this.#rtcpOut = new SrtcpContext(keys.local);
			this.#rtpIn = new SrtpContext(keys.remote);
			this.#rtcpIn = new SrtcpContext(keys.remote);
		}
		this.#isConnected = true;
		this.#options.onConnected();
	}
}

/** Why a transport ends that has failed. */
export function failed(message: string): ProtocolError {
	return new ProtocolError("webrtc.failed", message);
}

/** Why a transport ends whose peer said goodbye. */
export function saidGoodbye(): GoneError {
	return new GoneError("session.closed", "The WebRTC peer closed the session");
}
