import { networkInterfaces } from "node:os";
import type { Clock } from "#shared/clock.ts";
import { GoneError, ProtocolError } from "#shared/problem.ts";
import type { Logger } from "../../log.ts";
import type { SrtpProfile } from "../../srtp/profile.ts";
import { createCertificate, type DtlsCertificate, type DtlsLibrary, loadDtls } from "./dtls-adapter.ts";
import { type HostOptions, type HostPort, hostCandidates } from "./host-candidates.ts";
import { SessionTable } from "./session-table.ts";
import { TcpMux } from "./tcp-mux.ts";
import { WebRtcTransport } from "./transport.ts";
import { UdpMux } from "./udp-mux.ts";

/** Where a socket is bound; an empty host means every address. `key` is the setting that has it, for messages. */
export type ListenAddress = { readonly host: string; readonly port: number; readonly key: string };

export type EndpointOptions = {
	/** At least one of both. */
	readonly udp: ListenAddress | null;
	readonly tcp: ListenAddress | null;
	/** Of the UDP socket; 0: what fits bursts of key frames. */
	readonly readBufferBytes: number;
	readonly hosts: HostOptions;
	readonly handshakeTimeoutMs: number;
	readonly clock: Clock;
	readonly log: Logger;
};

export type CreateTransportOptions = {
	/** Of SRTP, best first. */
	readonly profiles?: readonly SrtpProfile[];
};

const PROFILES: readonly SrtpProfile[] = ["AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"];

/** The sockets and the certificate of all WebRTC sessions. */
export class WebRtcEndpoint implements AsyncDisposable {
	readonly #options: EndpointOptions;
	readonly #sessions: SessionTable;
	readonly #library: DtlsLibrary;
	readonly #certificate: DtlsCertificate;
	readonly #udp: UdpMux | null;
	readonly #tcp: TcpMux | null;
	readonly #transports = new Set<WebRtcTransport>();
	#closed = false;

	private constructor(
		options: EndpointOptions,
		sessions: SessionTable,
		dtls: { readonly library: DtlsLibrary; readonly certificate: DtlsCertificate },
		{ udp, tcp }: { readonly udp: UdpMux | null; readonly tcp: TcpMux | null },
	) {
		this.#options = options;
		this.#sessions = sessions;
		this.#library = dtls.library;
		this.#certificate = dtls.certificate;
		this.#udp = udp;
		this.#tcp = tcp;
	}

	/** @throws InputError `listen.in_use` */
	static async open(options: EndpointOptions): Promise<WebRtcEndpoint> {
		const { clock, log, readBufferBytes } = options;
		const library = await loadDtls();
		const certificate = await createCertificate(library);
		const sessions = new SessionTable();
		const udp = options.udp === null ? null : await UdpMux.open({ ...options.udp, readBufferBytes, sessions, log });
		try {
			const tcp = options.tcp === null ? null : await TcpMux.open({ ...options.tcp, sessions, clock, log });
			return new WebRtcEndpoint(options, sessions, { library, certificate }, { udp, tcp });
		} catch (error) {
			await udp?.[Symbol.asyncDispose]();
			throw error;
		}
	}

	get udpPort(): number | null {
		return this.#udp?.port ?? null;
	}

	get tcpPort(): number | null {
		return this.#tcp?.port ?? null;
	}

	/** How many transports are open. */
	get size(): number {
		return this.#transports.size;
	}

	/** Packets that belong to nobody, and checks that did not prove to be of the peer. */
	get stats(): { readonly strangers: number; readonly refusedChecks: number; readonly routes: number } {
		const { strangers, refusedChecks, routeCount } = this.#sessions;
		return { strangers, refusedChecks, routes: routeCount };
	}

	/**
	 * Makes the way to a new peer.
	 *
	 * @throws GoneError `session.closed`, ProtocolError `webrtc.failed` if there are too many
	 */
	createTransport({ profiles = PROFILES }: CreateTransportOptions = {}): WebRtcTransport {
		if (this.#closed) throw new GoneError("session.closed", "The WebRTC server was closed");
		if (this.#sessions.isFull) throw new ProtocolError("webrtc.failed", "There are too many WebRTC sessions");
		const { handshakeTimeoutMs, clock, log } = this.#options;
		const transport: WebRtcTransport = new WebRtcTransport(
			{
				...{ sessions: this.#sessions, library: this.#library, certificate: this.#certificate },
				...{ profiles, handshakeTimeoutMs, clock, log, candidates: this.#candidates() },
			},
			() => this.#transports.delete(transport),
		);
		this.#transports.add(transport);
		return transport;
	}

	/** Read anew for each peer: addresses come and go. */
	#candidates(): readonly string[] {
		const { udp, tcp, hosts } = this.#options;
		const ports: HostPort[] = [];
		if (this.#udp !== null) {
			ports.push({ transport: "udp", host: udp?.host ?? "", port: this.#udp.port, isV6: this.#udp.isV6 });
		}
		if (this.#tcp !== null) {
			ports.push({ transport: "tcp", host: tcp?.host ?? "", port: this.#tcp.port, isV6: this.#tcp.isV6 });
		}
		return hostCandidates(hosts, ports, networkInterfaces());
	}

	/** Says goodbye to all peers and closes the sockets. */
	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await Promise.all([...this.#transports].map((transport) => transport.close()));
		await Promise.all([this.#udp?.[Symbol.asyncDispose](), this.#tcp?.[Symbol.asyncDispose]()]);
	}
}
