import type { Clock } from "#shared/clock.ts";
import { GoneError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../../log.ts";
import type { SrtpProfile } from "../../srtp/profile.ts";
import type { DtlsCertificate, DtlsLibrary } from "./dtls-adapter.ts";
import { type Fingerprint, fingerprintHash } from "./dtls-proof.ts";
import { IceLite } from "./ice-lite.ts";
import type { Route } from "./route.ts";
import { failed, SecureChannel, saidGoodbye } from "./secure-channel.ts";
import type { MuxSession, SessionTable } from "./session-table.ts";
import type { StunMessage } from "./stun.ts";

/** Who begins the DTLS handshake. RFC 5763 §5, RFC 4145 §4. */
export type DtlsSetup = "actpass" | "active" | "passive";

export type LocalDescription = {
	readonly ufrag: string;
	readonly pwd: string;
	readonly fingerprint: Fingerprint;
	/** `actpass` until the peer has said what it is. */
	readonly setup: DtlsSetup;
	/** Values of `a=candidate`, with `candidate:`. */
	readonly candidates: readonly string[];
};

export type RemoteDescription = {
	readonly ufrag: string;
	/** Not needed by who never checks. */
	readonly pwd: string;
	readonly fingerprint: Fingerprint;
	readonly setup: DtlsSetup;
};

/** `disconnected`: no check for 5 s; the peer may come back. */
export type TransportState = "new" | "connecting" | "connected" | "disconnected" | "closed";

export type TransportStats = {
	/** Of RTP. */
	readonly packetsSent: number;
	readonly rtcpPacketsSent: number;
	readonly bytesSent: number;
	readonly packetsReceived: number;
	readonly rtcpPacketsReceived: number;
	readonly bytesReceived: number;
	/** Packets of SRTP that were too early, damaged, forged or there before. */
	readonly packetsRefused: number;
	/** Packets that the network had no room for. */
	readonly packetsUnsent: number;
	/** `null`: who never checks learns it from RTCP only. */
	readonly rttMs: number | null;
	readonly profile: SrtpProfile | null;
	readonly selected: { readonly transport: "udp" | "tcp"; readonly address: string; readonly port: number } | null;
};

export type TransportOptions = {
	readonly sessions: SessionTable;
	readonly library: DtlsLibrary;
	readonly certificate: DtlsCertificate;
	readonly candidates: readonly string[];
	/** Of SRTP, best first. */
	readonly profiles: readonly SrtpProfile[];
	/** From the first description to the end of the handshake. */
	readonly handshakeTimeoutMs: number;
	readonly clock: Clock;
	readonly log: Logger;
};

const WATCH_MS = 1_000;

/**
 * The way to one peer: ICE lite, DTLS and SRTP on sockets that all sessions share. Packets go to the handlers as they
 * come, as views that hold until the handler returns.
 */
export class WebRtcTransport {
	/** An RTP packet in clear. */
	onRtp: (packet: Uint8Array) => void = ignore;
	/** A compound RTCP packet in clear. */
	onRtcp: (packet: Uint8Array) => void = ignore;
	/** A packet of SCTP. */
	onData: (bytes: Uint8Array) => void = ignore;
	/** The peer is gone, or never came: called once, but not for {@link close}. */
	onClosed: (reason: SluiceError) => void = ignore;
	/** Resolves when media can flow. Rejects with `webrtc.failed` or `session.closed`. */
	readonly connected: Promise<void>;

	readonly #options: TransportOptions;
	readonly #ice = new IceLite();
	readonly #session: MuxSession;
	readonly #ufrags = new Set<string>();
	readonly #settled = Promise.withResolvers<void>();
	readonly #watch: Disposable;
	/** When the peer was first described. */
	#startedAt: number | null = null;
	readonly #onGone: () => void;
	readonly #channel: SecureChannel;
	#remote: RemoteDescription | null = null;
	#setup: DtlsSetup = "actpass";
	#isClosed = false;

	/** `onGone` is called once when the transport needs nothing any more. */
	constructor(options: TransportOptions, onGone: () => void) {
		this.#options = options;
		this.#onGone = onGone;
		this.connected = this.#settled.promise;
		// Whoever does not wait for it hears of a failure by onClosed.
		this.connected.catch(ignore);
		this.#channel = new SecureChannel({
			...options,
			route: () => this.#ice.selected,
			onRtp: (packet) => this.onRtp(packet),
			onRtcp: (packet) => this.onRtcp(packet),
			onData: (bytes) => this.onData(bytes),
			onConnected: () => this.#settled.resolve(),
			onEnded: (failure) => this.#end(failure === null ? saidGoodbye() : failed(failure)),
		});
		this.#session = {
			check: (message, route) => this.#check(message, route),
			receive: (bytes) => this.#channel.receive(bytes),
			holds: (name) => this.#ice.holds(name, options.clock.monotonic()),
			lost: (route) => this.#ice.forget(route),
		};
		this.#register();
		this.#watch = options.clock.every(WATCH_MS, () => this.#look());
	}

	get local(): LocalDescription {
		const { ufrag, pwd } = this.#ice.local;
		const { certificate, candidates } = this.#options;
		return { ufrag, pwd, fingerprint: certificate.fingerprint, setup: this.#setup, candidates };
	}

	get state(): TransportState {
		if (this.#isClosed) return "closed";
		const ice = this.#ice.state(this.#options.clock.monotonic());
		if (!this.#channel.isConnected) return ice === "new" ? "new" : "connecting";
		return ice === "connected" ? "connected" : "disconnected";
	}

	get stats(): TransportStats {
		const route = this.#ice.selected;
		const { packetsSent, bytesSent, packetsReceived, bytesReceived, packetsRefused, packetsUnsent } = this.#channel;
		const { rtcpPacketsSent, rtcpPacketsReceived } = this.#channel;
		return {
			...{ packetsSent, bytesSent, packetsReceived, bytesReceived, packetsRefused, packetsUnsent },
			...{ rtcpPacketsSent, rtcpPacketsReceived },
			rttMs: null,
			profile: this.#channel.profile,
			selected: route === null ? null : { transport: route.transport, ...route.remote },
		};
	}

	/**
	 * Takes what the peer says of itself. Again after {@link restart}, with the same certificate.
	 *
	 * @throws ProtocolError `webrtc.failed`
	 */
	setRemote(remote: RemoteDescription): void {
		if (fingerprintHash(remote.fingerprint) === null) {
			throw failed("The peer has no fingerprint of SHA-256, SHA-384 or SHA-512 for its certificate");
		}
		const before = this.#remote;
		if (before !== null && !isSameFingerprint(before.fingerprint, remote.fingerprint)) {
			throw failed("The peer changed its certificate, which needs a new connection");
		}
		this.#remote = remote;
		this.#ice.setRemote(remote.ufrag);
		if (before !== null) return;
		if (this.#isClosed) return;
		this.#startedAt = this.#options.clock.monotonic();
		this.#setup = remote.setup === "passive" ? "active" : "passive";
		this.#channel.setPeer(remote.fingerprint, this.#setup === "active" ? "client" : "server");
		if (this.#ice.nominated) this.#channel.start();
	}

	/** Makes new credentials for ICE, which are then in {@link local}. The old ones hold until the peer uses the new. */
	restart(): void {
		if (this.#isClosed) return;
		this.#ice.restart();
		this.#register();
	}

	/**
	 * Sends an RTP packet, which is only read. `false`: it was not sent. A source and number that was sent before is not
	 * sent again: one that is asked for again goes by RTX, with a number of its own.
	 */
	sendRtp(bytes: Uint8Array): boolean {
		return this.#channel.sendRtp(bytes);
	}

	/** Sends a compound RTCP packet, which is only read. `false`: it was not sent. */
	sendRtcp(bytes: Uint8Array): boolean {
		return this.#channel.sendRtcp(bytes);
	}

	/** Sends a packet of SCTP. `false`: it was not sent. */
	sendData(bytes: Uint8Array): boolean {
		return this.#channel.sendData(bytes);
	}

	/** Says goodbye and gives everything back. {@link connected} rejects if it waits. */
	async close(): Promise<void> {
		this.#finish(new GoneError("session.closed", "The WebRTC session was closed"));
	}

	#check(message: StunMessage, route: Route): boolean {
		const { sessions, clock } = this.#options;
		const evict = (old: Route) => sessions.removeRoute(old, this.#session);
		const { authenticated, response } = this.#ice.check(message, route, clock.monotonic(), evict);
		if (response !== null) route.send(response);
		if (!authenticated) return false;
		if (this.#ufrags.size !== this.#ice.ufrags.length) this.#register();
		// Before it nominates, a peer may not take DTLS. One that never does is tried by and by.
		if (this.#ice.nominated) this.#channel.start();
		return true;
	}

	/** Makes the table of all sessions know us by the names that hold now. */
	#register(): void {
		const { sessions } = this.#options;
		const names = new Set(this.#ice.ufrags);
		for (const name of this.#ufrags) if (!names.has(name)) sessions.removeUfrag(name);
		for (const name of names) if (!this.#ufrags.has(name)) sessions.add(name, this.#session);
		this.#ufrags.clear();
		for (const name of names) this.#ufrags.add(name);
	}

	#look(): void {
		const { clock, handshakeTimeoutMs } = this.#options;
		const now = clock.monotonic();
		this.#channel.start();
		if (this.#startedAt === null) return;
		if (!this.#channel.isConnected && now - this.#startedAt >= handshakeTimeoutMs) {
			const step = this.#ice.selected === null ? "no check of the peer came through" : this.#channel.trouble;
			this.#end(failed(`The peer did not connect within ${handshakeTimeoutMs} ms: ${step}`));
		} else if (this.#ice.state(now) === "dead") {
			this.#end(failed("The peer vanished: it did not check the connection for 30 s"));
		}
	}

	#end(reason: SluiceError): void {
		if (this.#isClosed) return;
		this.#finish(reason);
		this.onClosed(reason);
	}

	#finish(reason: SluiceError): void {
		if (this.#isClosed) return;
		this.#channel.close();
		this.#isClosed = true;
		this.#watch[Symbol.dispose]();
		this.#settled.reject(reason);
		const { sessions } = this.#options;
		for (const name of this.#ufrags) sessions.removeUfrag(name);
		for (const route of this.#ice.routes) sessions.removeRoute(route, this.#session);
		this.#onGone();
	}
}

function ignore(): void {}

function isSameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
	return a.algorithm.toLowerCase() === b.algorithm.toLowerCase() && a.value.toLowerCase() === b.value.toLowerCase();
}
