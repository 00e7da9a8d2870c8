/** The way to a peer that we call: a socket of its own, full ICE, DTLS in either role, and SRTP. */

import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import type { Clock } from "#shared/clock.ts";
import { GoneError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../../log.ts";
import type { SrtpProfile } from "../../srtp/profile.ts";
import type { Candidate } from "../sdp/candidate.ts";
import { createCertificate, type DtlsCertificate, type DtlsLibrary, loadDtls } from "./dtls-adapter.ts";
import { fingerprintHash } from "./dtls-proof.ts";
import { type HostOptions, hostCandidates } from "./host-candidates.ts";
import { CHECK_INTERVAL_MS, IceAgent, MAX_PAIRS } from "./ice-agent.ts";
import type { Route } from "./route.ts";
import { failed, SecureChannel, saidGoodbye } from "./secure-channel.ts";
import { parseStun } from "./stun.ts";
import type { LocalDescription, RemoteDescription } from "./transport.ts";
import { UdpMux } from "./udp-mux.ts";

export type ClientTransportOptions = {
	readonly hosts: HostOptions;
	/** 0: what fits bursts of key frames. */
	readonly readBufferBytes: number;
	/** From {@link ClientTransport.setRemote} to the end of the handshake. */
	readonly handshakeTimeoutMs: number;
	/** How long a peer that was there may say nothing at all; not less than {@link MIN_SILENCE_MS}. */
	readonly silenceTimeoutMs: number;
	readonly clock: Clock;
	readonly log: Logger;
};

const PROFILES: readonly SrtpProfile[] = ["AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"];
/** Two questions for consent, of which one may be lost. */
const MIN_SILENCE_MS = 12_000;
/** Names among the candidates of a peer that are looked up. */
const MAX_NAMES = 4;

export class ClientTransport implements AsyncDisposable {
	/** An RTP packet in clear. */
	onRtp: (packet: Uint8Array) => void = ignore;
	/** A compound RTCP packet in clear. */
	onRtcp: (packet: Uint8Array) => void = ignore;
	/** The peer is gone, or never came: called once, but not for closing. */
	onClosed: (reason: SluiceError) => void = ignore;
	/** Resolves when media can flow. Rejects with `webrtc.failed` or `session.closed`. */
	readonly connected: Promise<void>;

	readonly #options: ClientTransportOptions;
	readonly #mux: UdpMux;
	readonly #ice = new IceAgent();
	readonly #channel: SecureChannel;
	readonly #certificate: DtlsCertificate;
	readonly #candidates: readonly string[];
	readonly #settled = Promise.withResolvers<void>();
	readonly #timer: Disposable;
	#calledAtMs: number | null = null;
	/** When the peer was heard last. */
	#heardMs = 0;
	#isClosed = false;

	private constructor(
		options: ClientTransportOptions,
		dtls: { readonly library: DtlsLibrary; readonly certificate: DtlsCertificate },
		mux: UdpMux,
	) {
		this.#options = options;
		this.#mux = mux;
		this.#certificate = dtls.certificate;
		this.connected = this.#settled.promise;
		// Whoever does not wait for it hears of a failure by onClosed.
		this.connected.catch(ignore);
		this.#channel = new SecureChannel({
			...dtls,
			profiles: PROFILES,
			log: options.log,
			route: () => this.#ice.selected,
			onRtp: (packet) => this.onRtp(packet),
			onRtcp: (packet) => this.onRtcp(packet),
			onData: ignore,
			onConnected: () => this.#settled.resolve(),
			onEnded: (failure) => this.#end(failure === null ? saidGoodbye() : failed(failure)),
		});
		const { port, isV6 } = mux;
		this.#candidates = hostCandidates(options.hosts, [{ transport: "udp", host: "", port, isV6 }], networkInterfaces());
		this.#timer = options.clock.every(CHECK_INTERVAL_MS, () => this.#tick());
	}

	/** Opens a socket on a port that is free. */
	static async open(options: ClientTransportOptions): Promise<ClientTransport> {
		const library = await loadDtls();
		const certificate = await createCertificate(library);
		let taker: ClientTransport | null = null;
		const mux = await UdpMux.open({
			...{ host: "", port: 0, key: "a port for WebRTC" },
			readBufferBytes: options.readBufferBytes,
			log: options.log,
			sessions: {
				routeOf: () => undefined,
				receiveStun: (bytes, route) => taker?.receiveStun(bytes, route),
				receive: (bytes, name) => taker?.receive(bytes, name),
			},
		});
		taker = new ClientTransport(options, { library, certificate }, mux);
		return taker;
	}

	/** What an offer says of this end. */
	get local(): LocalDescription {
		const { ufrag, pwd } = this.#ice.local;
		const { fingerprint } = this.#certificate;
		return { ufrag, pwd, fingerprint, setup: "actpass", candidates: this.#candidates };
	}

	/** Host and port of the peer; `null` before there is one. */
	get remoteAddress(): string | null {
		const remote = this.#ice.selected?.remote;
		if (remote === undefined) return null;
		return isIPv6(remote.address) ? `[${remote.address}]:${remote.port}` : `${remote.address}:${remote.port}`;
	}

	get bytesSent(): number {
		return this.#channel.bytesSent;
	}

	/**
	 * Takes what an answer says of the peer, and calls it.
	 * @throws ProtocolError `webrtc.failed`
	 */
	setRemote(remote: RemoteDescription, candidates: readonly Candidate[]): void {
		if (this.#isClosed || this.#calledAtMs !== null) return;
		if (fingerprintHash(remote.fingerprint) === null) {
			throw failed("The answer has no fingerprint of SHA-256, SHA-384 or SHA-512 for its certificate");
		}
		this.#channel.setPeer(remote.fingerprint, remote.setup === "passive" ? "client" : "server");
		this.#ice.setRemote(remote);
		this.#calledAtMs = this.#options.clock.monotonic();
		let names = 0;
		for (const candidate of candidates.slice(0, MAX_PAIRS)) {
			if (candidate.component !== 1 || candidate.protocol !== "udp" || candidate.port === 0) continue;
			if (isIP(candidate.address) !== 0) this.#add(candidate.address, candidate);
			else if (names++ < MAX_NAMES) void this.#resolve(candidate);
		}
	}

	/** Sends an RTP packet, which is only read. `false`: it was not sent. */
	sendRtp(bytes: Uint8Array): boolean {
		return this.#channel.sendRtp(bytes);
	}

	/** Sends a compound RTCP packet, which is only read. `false`: it was not sent. */
	sendRtcp(bytes: Uint8Array): boolean {
		return this.#channel.sendRtcp(bytes);
	}

	/** Takes what looks like STUN, from the socket. */
	receiveStun(bytes: Uint8Array, route: Route): void {
		const message = this.#isClosed ? null : parseStun(bytes);
		if (message === null) return;
		const nowMs = this.#options.clock.monotonic();
		if (message.kind === "request") {
			const { response } = this.#ice.check(message, route, nowMs);
			if (response !== null) route.send(response);
		} else if (message.kind !== "indication") {
			this.#ice.response(message, route.name, nowMs);
		}
		if (this.#ice.isProven(route.name)) this.#heardMs = nowMs;
		if (this.#ice.selected !== null) this.#channel.start();
	}

	/** Takes anything else from the socket: of addresses that have proved to be of the peer. */
	receive(bytes: Uint8Array, name: string): void {
		if (this.#isClosed || !this.#ice.isProven(name)) return;
		this.#heardMs = this.#options.clock.monotonic();
		this.#channel.receive(bytes);
	}

	/** Says goodbye, and gives the socket back. Idempotent. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#finish(new GoneError("session.closed", "The WebRTC session was closed"));
		await this.#mux[Symbol.asyncDispose]();
	}

	/** Ends for a reason that was found elsewhere. */
	end(reason: SluiceError): void {
		this.#end(reason);
	}

	#add(address: string, { priority, port }: Candidate): void {
		// In the form in which the socket writes it: routes are told apart by that.
		const written = isIPv6(address) ? URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) : address;
		const route = written === undefined ? null : this.#mux.routeTo(written, port);
		if (route !== null && !this.#isClosed) this.#ice.addRemote(route, priority);
	}

	async #resolve(candidate: Candidate): Promise<void> {
		try {
			const { address } = await lookup(candidate.address);
			this.#add(address, candidate);
		} catch (error) {
			this.#options.log.debug({ err: error }, "The name of a WebRTC candidate was not found");
		}
	}

	#tick(): void {
		const { clock, handshakeTimeoutMs, silenceTimeoutMs } = this.#options;
		const silenceMs = Math.max(MIN_SILENCE_MS, silenceTimeoutMs);
		const nowMs = clock.monotonic();
		this.#ice.tick(nowMs);
		if (this.#calledAtMs === null) return;
		if (!this.#channel.isConnected && nowMs - this.#calledAtMs >= handshakeTimeoutMs) {
			const step = this.#ice.selected === null ? "it answered no check (UDP)" : this.#channel.trouble;
			this.#end(failed(`The peer did not connect within ${handshakeTimeoutMs} ms: ${step}`));
		} else if (this.#channel.isConnected && nowMs - this.#heardMs >= silenceMs) {
			this.#end(failed(`The peer vanished: nothing came of it for ${silenceMs} ms`));
		} else if (!this.#ice.hasConsent(nowMs)) {
			this.#end(failed("The peer vanished: it answered no check for 30 s"));
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
		this.#timer[Symbol.dispose]();
		this.#settled.reject(reason);
	}
}

function ignore(): void {}
