/**
 * DTLS 1.2 of werift 0.25.2, the only file that imports it. What it leaves out is done here: it takes any signature of
 * the peer and any Finished, alerts and renegotiation that nobody authenticated, and record numbers twice.
 */

import { X509Certificate } from "node:crypto";
import type { DtlsSocket } from "werift";
import { MASTER_KEY_BYTES, masterSaltBytes, type SrtpMasterKey, type SrtpProfile } from "../../srtp/profile.ts";
import { ReplayWindow } from "../../srtp/replay-window.ts";
import {
	HandshakeInbox,
	type HandshakeMessage,
	HandshakeType,
	readHandshake,
	writeHandshake,
} from "./dtls-handshake-inbox.ts";
import {
	type Fingerprint,
	fingerprintOfCertificate,
	firstCertificate,
	isCertificateVerifyRight,
	isFinishedRight,
	isOfFingerprint,
	isServerKeyRight,
} from "./dtls-proof.ts";
import { DTLS_1_2, DtlsContent, type DtlsRecord, readRecords, writeRecord } from "./dtls-record.ts";

export type DtlsLibrary = typeof import("werift");

/** Our certificate, signed by itself, and its key, both in PEM. */
export type DtlsCertificate = {
	readonly certPem: string;
	readonly keyPem: string;
	readonly fingerprint: Fingerprint;
};

export type SrtpKeys = { readonly local: SrtpMasterKey; readonly remote: SrtpMasterKey };

export type DtlsOptions = {
	readonly library: DtlsLibrary;
	readonly role: "server" | "client";
	readonly certificate: DtlsCertificate;
	/** Of the peer's certificate. */
	readonly fingerprint: Fingerprint;
	/** Best first. */
	readonly profiles: readonly SrtpProfile[];
	readonly send: (datagram: Uint8Array) => void;
	/** The peer has proved itself. `null`: it does not want SRTP. */
	readonly onConnected: (keys: SrtpKeys | null) => void;
	readonly onData: (bytes: Uint8Array) => void;
	/** `null`: the peer said goodbye. Called once, and never after {@link DtlsConnection.close}. */
	readonly onEnded: (failure: string | null) => void;
};

/** The numbers of RFC 5764 §4.1.2 and RFC 7714 §14.2. */
const PROFILE_NUMBERS = { AES_CM_128_HMAC_SHA1_80: 0x0001, AEAD_AES_128_GCM: 0x0007 } as const;
type OfferedProfile = keyof typeof PROFILE_NUMBERS;

/**
 * The number of our first record after the handshake. werift numbers its Finished with more than 0 and then begins
 * anew, which would use a nonce of AES-GCM twice.
 */
const FIRST_SEQUENCE = 48;
/** Explicit nonce and tag of AES-GCM. */
const SEALED_BYTES = 24;
const MAX_DATA_BYTES = 2 ** 14;
/** Later than any flight of a handshake: werift stops to send again. */
const FLIGHT_OVER = 100;
const CLOSE_NOTIFY = Uint8Array.of(1, 0);
const FATAL = 2;

export function loadDtls(): Promise<DtlsLibrary> {
	return import("werift");
}

/** Makes a key on P-256 and a certificate of it. */
export async function createCertificate({ CipherContext }: DtlsLibrary): Promise<DtlsCertificate> {
	const made = await CipherContext.createSelfSignedCertificateWithKey({ hash: 4, signature: 3 }, 23);
	const der = new X509Certificate(made.certPem).raw;
	return { certPem: made.certPem, keyPem: made.keyPem, fingerprint: fingerprintOfCertificate(der) };
}

export class DtlsConnection {
	readonly #options: DtlsOptions;
	readonly #socket: DtlsSocket;
	readonly #connect: () => Promise<void>;
	#deliver: (datagram: Buffer) => void = () => {};
	readonly #inbox = new HandshakeInbox();
	readonly #window = new ReplayWindow();
	#sequence = FIRST_SEQUENCE;
	#certificate: Uint8Array | null = null;
	#proven = false;
	/** The record in which the peer ended the handshake. */
	#finished: Uint8Array | null = null;
	#state: "handshake" | "connected" | "closed" = "handshake";
	/** What went wrong on the way, for the one who gives up. */
	trouble: string | null = null;

	constructor(options: DtlsOptions) {
		this.#options = options;
		const { library, certificate, role, profiles } = options;
		const transport = {
			type: "route",
			address: { address: "", family: "", port: 0 },
			closed: false,
			onData: (_datagram: Buffer, _from: readonly [string, number]) => {},
			send: async (datagram: Buffer) => {
				if (this.#state !== "closed") options.send(datagram);
			},
			close: async () => {},
		};
		const settings = {
			transport,
			cert: certificate.certPem,
			key: certificate.keyPem,
			signatureHash: { hash: 4, signature: 3 } as const,
			srtpProfiles: profiles.filter(isOffered).map((profile) => PROFILE_NUMBERS[profile]),
			certificateRequest: true,
			extendedMasterSecret: true,
		};
		if (role === "client") {
			const client = new library.DtlsClient(settings);
			this.#connect = () => client.connect();
			this.#socket = client;
		} else {
			this.#connect = async () => {};
			this.#socket = new library.DtlsServer(settings);
		}
		this.#deliver = (datagram) => transport.onData(datagram, ["", 0]);
		this.#socket.onConnect.subscribe(() => this.#established());
		this.#socket.onError.subscribe((error) => this.#note(error));
	}

	/** Begins the handshake, as a client. */
	start(): void {
		this.#connect().catch((error: unknown) => this.#note(error));
	}

	/** Takes a datagram of the peer. It is copied where it is kept. */
	receive(datagram: Uint8Array): void {
		for (const record of readRecords(datagram)) {
			if (this.#state === "closed") return;
			if (record.epoch === 0) this.#receiveClear(record);
			else if (record.epoch === 1) this.#receiveSealed(record);
		}
	}

	/** Sends application data. `false`: not yet, not any more, or too much. */
	send(bytes: Uint8Array): boolean {
		if (this.#state !== "connected" || bytes.length > MAX_DATA_BYTES) return false;
		this.#seal(DtlsContent.applicationData, bytes);
		return true;
	}

	/** Says goodbye to a peer that is there, and ends. */
	close(): void {
		if (this.#state === "connected") this.#seal(DtlsContent.alert, CLOSE_NOTIFY);
		this.#stop();
	}

	#receiveClear(record: DtlsRecord): void {
		if (this.#state !== "handshake") return;
		if (record.type === DtlsContent.alert) {
			// Anybody can have sent it: it ends nothing, but may say why nothing comes of it.
			if (record.fragment[0] === FATAL) this.trouble = `the peer sent alert ${record.fragment[1]}`;
			return;
		}
		if (record.type !== DtlsContent.handshake) return;
		const next = this.#inbox.next;
		for (const message of this.#inbox.push(record.fragment)) {
			if (this.#state !== "handshake") return;
			if (message.number < next ? this.#isWantedAgain(message, next) : this.#isRight(message)) this.#pass(message);
		}
	}

	/** An answer of ours was lost: only these make werift send it again without losing its state. */
	#isWantedAgain({ type, number }: HandshakeMessage, next: number): boolean {
		return this.#options.role === "server" && type === HandshakeType.clientHello && number === next - 1 && number <= 1;
	}

	/** Checks what is proof, before werift, which does not, goes on with it. */
	#isRight({ type, body }: HandshakeMessage): boolean {
		const { role, fingerprint } = this.#options;
		const { dtls, cipher } = this.#socket;
		switch (type) {
			case HandshakeType.certificate: {
				const certificate = this.#certificate === null ? firstCertificate(body) : null;
				if (certificate === null || !isOfFingerprint(certificate, fingerprint)) {
					this.#end("the certificate of the peer is not the one of its fingerprint");
					return false;
				}
				this.#certificate = certificate;
				return true;
			}
			case HandshakeType.serverKeyExchange:
			case HandshakeType.certificateVerify: {
				const isOurs = (role === "client") === (type === HandshakeType.serverKeyExchange);
				if (!isOurs || this.#certificate === null || this.#proven) return false;
				this.#proven =
					role === "client"
						? isServerKeyRight(body, this.#certificate, cipher.localRandom.serialize(), cipher.remoteRandom.serialize())
						: isCertificateVerifyRight(body, this.#certificate, this.#transcript());
				if (!this.#proven) this.#end("the peer does not have the key of its certificate");
				return this.#proven;
			}
			case HandshakeType.finished:
				return false;
			case HandshakeType.clientHello:
				return role === "server" && dtls.flight <= 2;
			default:
				return true;
		}
	}

	#receiveSealed(record: DtlsRecord): void {
		if (record.fragment.length < SEALED_BYTES || this.#socket.cipher.cipher === undefined) return;
		if (record.type === DtlsContent.handshake) {
			this.#receiveFinished(record);
			return;
		}
		if (this.#state !== "connected" || !this.#window.admits(record.sequence)) return;
		const bytes = this.#open(record);
		if (bytes === null) return;
		this.#window.mark(record.sequence);
		if (record.type === DtlsContent.applicationData) this.#options.onData(bytes);
		else if (record.type === DtlsContent.alert) this.#receiveAlert(bytes);
	}

	#receiveFinished(record: DtlsRecord): void {
		if (!this.#proven) return;
		if (this.#finished === null) {
			const message = readHandshake(this.#open(record));
			const side = this.#options.role === "client" ? "server" : "client";
			if (message?.type !== HandshakeType.finished) return;
			if (!isFinishedRight(message.body, side, this.#socket.cipher.masterSecret, this.#transcript())) {
				this.#end("the handshake was tampered with");
				return;
			}
			this.#finished = record.fragment.slice();
		} else if (this.#options.role === "client" || this.#open(record) === null) {
			return;
		}
		// A Finished that comes again asks for ours once more.
		this.#deliver(Buffer.from(record.bytes));
	}

	#receiveAlert(bytes: Uint8Array): void {
		const [level, description] = bytes;
		if (description === 0) this.#end(null);
		else if (level === FATAL) this.#end(`the peer sent alert ${description}`);
	}

	#established(): void {
		if (this.#state !== "handshake" || this.#finished === null) return;
		this.#state = "connected";
		this.#options.onConnected(this.#keys());
	}

	#keys(): SrtpKeys | null {
		const number = this.#socket.srtp.srtpProfile;
		const profile = this.#options.profiles.filter(isOffered).find((one) => PROFILE_NUMBERS[one] === number);
		if (profile === undefined) return null;
		const made = this.#socket.extractSessionKeys(MASTER_KEY_BYTES, masterSaltBytes(profile));
		return {
			local: { profile, key: made.localKey, salt: made.localSalt },
			remote: { profile, key: made.remoteKey, salt: made.remoteSalt },
		};
	}

	/** All messages of the handshake so far that count for its proofs. */
	#transcript(): Uint8Array {
		return Buffer.concat(this.#socket.dtls.sortedHandshakeCache.map((message) => message.serialize()));
	}

	#pass(message: HandshakeMessage): void {
		this.#deliver(Buffer.from(writeRecord(DtlsContent.handshake, 0, 0, writeHandshake(message))));
	}

	#open({ type, version, epoch, sequence, fragment }: DtlsRecord): Uint8Array | null {
		try {
			const header = { type, version, epoch, sequenceNumber: sequence };
			return this.#socket.cipher.cipher.decrypt(this.#socket.sessionType, Buffer.from(fragment), header);
		} catch {
			// Not of the peer, or damaged: dropped, as if it had been lost. RFC 6347 §4.1.2.7.
			return null;
		}
	}

	#seal(type: number, bytes: Uint8Array): void {
		const sequence = this.#sequence++;
		const header = { type, version: DTLS_1_2, epoch: 1, sequenceNumber: sequence };
		const sealed = this.#socket.cipher.cipher.encrypt(this.#socket.sessionType, Buffer.from(bytes), header);
		this.#options.send(writeRecord(type, 1, sequence, sealed));
	}

	#note(error: unknown): void {
		if (this.#state === "handshake") this.trouble = error instanceof Error ? error.message : String(error);
	}

	#end(failure: string | null): void {
		if (this.#state === "closed") return;
		if (failure === null) this.close();
		this.#stop();
		this.#options.onEnded(failure);
	}

	#stop(): void {
		this.#state = "closed";
		this.#deliver = () => {};
		this.#socket.dtls.flight = FLIGHT_OVER;
		this.#socket.onConnect.allUnsubscribe();
		this.#socket.onError.allUnsubscribe();
	}
}

function isOffered(profile: SrtpProfile): profile is OfferedProfile {
	return profile in PROFILE_NUMBERS;
}
