/** A call to a WHIP or WHEP server, from the offer to the goodbye. */

import { randomBytes } from "node:crypto";
import { abortedError, type Clock } from "#shared/clock.ts";
import type { Logger } from "../../log.ts";
import { transportOfAnswer } from "../sdp/client-offer.ts";
import { type LocalTransport, localTransportOf, remoteDescriptionOf } from "../sdp/negotiation.ts";
import type { Sdp } from "../sdp/sdp.ts";
import { parseSdp } from "../sdp/sdp-parse.ts";
import { writeSdp } from "../sdp/sdp-write.ts";
import { ClientTransport } from "../transport/client-transport.ts";
import type { HostOptions } from "../transport/host-candidates.ts";
import { deleteSession, postOffer, type WhipTarget } from "./whip-client.ts";

/** What connections that we open are made with. */
export type WebRtcClientOptions = {
	/** Which of our addresses are told; read for each connection. */
	readonly hosts: () => HostOptions;
	readonly readBufferBytes: number;
};

export type CallOptions = {
	readonly target: WhipTarget;
	readonly client: WebRtcClientOptions;
	readonly offer: (local: LocalTransport) => Sdp;
	/** Takes the answer to the offer, before anything of the peer comes. What it throws ends the call. */
	readonly accept: (answer: Sdp, offer: Sdp, transport: ClientTransport) => void;
	/** For the answer to the offer, and then for ICE and DTLS. */
	readonly handshakeTimeoutMs: number;
	/** How long the server may say nothing once it is there. */
	readonly silenceTimeoutMs: number;
	/** On which the goodbye is put. */
	readonly parts: AsyncDisposableStack;
	readonly clock: Clock;
	readonly log: Logger;
};

export type Call = {
	readonly transport: ClientTransport;
	/** Rejects when the peer is gone, or the signal aborts. */
	readonly ended: Promise<never>;
};

/** How long the goodbye may take. */
const GOODBYE_MS = 2_000;

/**
 * Calls, and gives the call once media can flow.
 * @throws what {@link postOffer} and {@link transportOfAnswer} throw, ProtocolError `bytes.malformed`, `bytes.limit`
 */
export async function openCall(options: CallOptions, signal: AbortSignal): Promise<Call> {
	const { target, client, accept, parts, log } = options;
	const { readBufferBytes } = client;
	const transport = parts.use(await ClientTransport.open({ ...options, hosts: client.hosts(), readBufferBytes }));
	const ended = endOf(transport, signal);
	const offer = options.offer(localTransportOf(transport.local, sessionNumber()));
	const { sdp, session } = await postOffer(target, writeSdp(offer), signal);
	parts.defer(() => goodbye(target, session, log));
	const answer = parseSdp(sdp);
	const remote = transportOfAnswer(offer, answer);
	accept(answer, offer, transport);
	transport.setRemote(remoteDescriptionOf(remote), remote.candidates);
	await Promise.race([transport.connected, ended]);
	return { transport, ended };
}

function endOf(transport: ClientTransport, signal: AbortSignal): Promise<never> {
	const ended = Promise.withResolvers<never>();
	// Whoever waits hears of it; at times nobody does yet.
	ended.promise.catch(() => {});
	transport.onClosed = (reason) => ended.reject(reason);
	if (signal.aborted) ended.reject(abortedError(signal));
	signal.addEventListener("abort", () => ended.reject(abortedError(signal)), { once: true });
	return ended.promise;
}

/** Ends the session at the server. Whether it hears that or not, we are gone. */
async function goodbye(target: WhipTarget, session: URL | null, log: Logger): Promise<void> {
	if (session === null) return;
	try {
		await deleteSession({ ...target, timeoutMs: GOODBYE_MS }, session, new AbortController().signal);
	} catch (error) {
		log.debug({ err: error }, "A WebRTC session could not be ended at its server");
	}
}

/** RFC 8829 §5.2.1: 64 bits, of which the first is 0. */
function sessionNumber(): string {
	return (randomBytes(8).readBigUInt64BE() >> 1n).toString();
}
