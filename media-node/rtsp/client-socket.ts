/** Connections that we open: TCP, or TLS whose certificate is known by its fingerprint or by who signed it. */

import net from "node:net";
import tls from "node:tls";
import { abortedError, type Clock } from "#shared/clock.ts";
import { DeniedError, ProtocolError, type SluiceError } from "#shared/problem.ts";
import { matchesFingerprint } from "../access/fingerprint.ts";
import { noteOwnConnection } from "../own-connections.ts";

/** What messages call the server; what is left out is a source. */
export type ServerNoun = "source" | "destination";

export type SocketTarget = {
	readonly noun?: ServerNoun;
	readonly host: string;
	readonly port: number;
	readonly isTls: boolean;
	/** SHA-256 of the certificate, in hex; empty: the certificate must be one that this machine trusts. */
	readonly fingerprint: string;
	readonly clock: Clock;
	/** For the connection and the handshake. */
	readonly timeoutMs: number;
};

/**
 * Connects, and hands out the socket when anything may be sent. The caller destroys it.
 * @throws ProtocolError `source.unreachable` when nobody is there, `rtsp.timeout`
 * @throws GoneError `aborted`
 * @throws DeniedError `access.credentials` when the certificate is not the one that is trusted
 */
export function openSocket(target: SocketTarget, signal: AbortSignal): Promise<net.Socket> {
	const { host, port, isTls, fingerprint, clock, timeoutMs, noun = "source" } = target;
	return new Promise((resolve, reject) => {
		if (signal.aborted) {
			reject(abortedError(signal));
			return;
		}
		const address = { host, port, noDelay: true, keepAlive: true };
		const socket = isTls
			? tls.connect({
					...address,
					...(net.isIP(host) === 0 ? { servername: host } : {}),
					// A fingerprint is what is trusted, instead of who signed.
					rejectUnauthorized: fingerprint === "",
				})
			: net.connect(address);
		noteOwnConnection(socket);
		const finish = (error: SluiceError | null) => {
			timer[Symbol.dispose]();
			signal.removeEventListener("abort", onAbort);
			socket.removeListener("error", onError);
			socket.removeListener("close", onClose);
			if (error === null) {
				resolve(socket);
				return;
			}
			// What comes after that is of no interest.
			socket.on("error", () => {});
			socket.destroy();
			reject(error);
		};
		const where = `${host}:${port}`;
		const onAbort = () => finish(abortedError(signal));
		const onError = (cause: NodeJS.ErrnoException) => finish(connectError(where, cause, noun));
		const onClose = () => finish(closedBy(where, noun));
		const timer = clock.after(timeoutMs, () =>
			finish(
				new ProtocolError("rtsp.timeout", `The ${noun} at ${where} cannot be reached: no answer for ${timeoutMs} ms`),
			),
		);
		signal.addEventListener("abort", onAbort, { once: true });
		socket.on("error", onError);
		socket.on("close", onClose);
		socket.once(isTls ? "secureConnect" : "connect", () => {
			if (fingerprint !== "" && socket instanceof tls.TLSSocket) {
				const raw = socket.getPeerCertificate().raw as Uint8Array | undefined;
				if (raw === undefined || !matchesFingerprint(raw, fingerprint)) {
					finish(
						new DeniedError(
							"access.credentials",
							`The certificate of the ${noun} at ${where} does not have the configured ${fingerprintKey(noun)}`,
						),
					);
					return;
				}
			}
			finish(null);
		});
	});
}

function connectError(where: string, cause: NodeJS.ErrnoException, noun: ServerNoun): SluiceError {
	const why = cause.message === "" ? (cause.code ?? "it refuses") : cause.message;
	// OpenSSL's words for a certificate: DEPTH_ZERO_SELF_SIGNED_CERT, CERT_HAS_EXPIRED, ERR_TLS_CERT_ALTNAME_INVALID.
	if (/CERT|SIGNATURE|ISSUER/.test(cause.code ?? "")) {
		return new DeniedError(
			"access.credentials",
			`The certificate of the ${noun} at ${where} is not trusted (${why}). If it is the right one, set ${fingerprintKey(noun)} to its SHA-256`,
			{ cause },
		);
	}
	return new ProtocolError("source.unreachable", `The ${noun} at ${where} cannot be reached: ${why}`, { cause });
}

function fingerprintKey(noun: ServerNoun): string {
	return noun === "source" ? "sourceFingerprint" : "destFingerprint";
}

/** The error of a server, `host:port`, that takes a connection and ends it. */
export function closedBy(where: string, noun: ServerNoun = "source"): ProtocolError {
	return new ProtocolError("source.unreachable", `The ${noun} at ${where} closed the connection`);
}
