/** Sends streams on over RTSP: what `forward` with `rtsp://…` runs. RFC 2326 §10.3, §10.4, §10.11. */

import { abortedError } from "#shared/clock.ts";
import { DeniedError, GoneError, ProtocolError, type SluiceError } from "#shared/problem.ts";
import type { ForwardContext, ForwardDriver } from "../paths/forward.ts";
import { UNCOUNTED_READER } from "../stream/stream.ts";
import { ClientConversation } from "./client-conversation.ts";
import { parseTransportAnswer, writeTransportWish } from "./client-transport.ts";
import type { RtspResponseMessage } from "./message.ts";
import type { Peer } from "./peer.ts";
import { READER_BUDGET_BYTES, Reader } from "./reader.ts";
import { controlOf } from "./rtsp-url.ts";
import { writeDescription } from "./sdp.ts";
import { controlUrlOf, parseSourceUrl } from "./source-url.ts";
import type { Transport } from "./transport.ts";

const TICK_MS = 1_000;

/** Makes the driver of RTSP destinations, which get streams over TCP. */
export function rtspForward(): ForwardDriver {
	return { schemes: ["rtsp://", "rtsps://"], run };
}

async function run(context: ForwardContext, signal: AbortSignal): Promise<never> {
	const { settings, stream, clock, log, timeoutMs } = context;
	await using conversation = await ClientConversation.open(parseSourceUrl(context.url), {
		...{ noun: "destination", fingerprint: settings.destFingerprint, clock, timeoutMs, signal },
	});
	const { connection, url } = conversation;
	const transports = await announce(conversation, context);
	const ended = Promise.withResolvers<never>();
	// Only the last line waits for it.
	ended.promise.catch(() => {});
	const peer = peerOf(conversation);
	using reader = new Reader({
		env: { udp: null, clock, writeTimeoutMs: timeoutMs, readerBudgetBytes: READER_BUDGET_BYTES },
		owner: { log, close: (reason) => ended.reject(reason) },
		...{ stream, transports, peer, info: UNCOUNTED_READER },
	});
	const onAbort = () => ended.reject(abortedError(signal));
	if (signal.aborted) onAbort();
	signal.addEventListener("abort", onAbort, { once: true });
	void connection.ended.then(ended.reject);
	let keptAliveMs = clock.monotonic();
	using _ticking = clock.every(TICK_MS, () => {
		reader.tick();
		const nowMs = clock.monotonic();
		if (nowMs - keptAliveMs < conversation.sessionTimeoutMs / 2) return;
		keptAliveMs = nowMs;
		conversation.ask({ method: "OPTIONS", url: url.requestUrl }).catch(ended.reject);
	});
	context.onForwarding(() => reader.bytesSent);
	try {
		return await ended.promise;
	} finally {
		reader.bye();
	}
}

/** Says what the stream has, and where each track goes. @throws SluiceError of {@link refusal} */
async function announce(
	conversation: ClientConversation,
	{ stream }: ForwardContext,
): Promise<ReadonlyMap<number, Transport>> {
	const { requestUrl } = conversation.url;
	const isV6 = conversation.connection.channel.remoteAddress.includes(":");
	const ask = async (method: string, url: string, headers: Record<string, string>, body?: string) => {
		const response = await conversation.ask({ method, url, headers, body });
		if (response.status !== 200) throw refusal(method, response);
		return response;
	};
	const description = writeDescription(stream.tracks, { title: stream.path, isV6, keyOf: null });
	await ask("ANNOUNCE", requestUrl, { "Content-Type": "application/sdp" }, description);
	const transports = new Map<number, Transport>();
	for (const [place, { index }] of stream.tracks.entries()) {
		const wish = { protocol: "tcp", channels: [2 * place, 2 * place + 1] } as const;
		const headers = { Transport: `${writeTransportWish(wish)};mode=record` };
		const response = await ask("SETUP", controlUrlOf(requestUrl, controlOf(index)), headers);
		conversation.begin(requestUrl);
		const answer = parseTransportAnswer(response.headers.get("transport") ?? "");
		if (answer !== null && answer.protocol !== "tcp") {
			throw new ProtocolError("rtsp.transport", "The destination was asked to take TCP, and agreed to another way");
		}
		transports.set(index, { protocol: "tcp", secure: false, channels: answer?.channels ?? wish.channels });
	}
	await ask("RECORD", requestUrl, { Range: "npt=0.000-" });
	return transports;
}

/** The server, as who reads the stream. */
function peerOf({ connection }: ClientConversation): Peer {
	const { channel } = connection;
	let givenBytes = 0;
	return {
		address: channel.remoteAddress,
		port: channel.remotePort,
		get pendingBytes() {
			return channel.pendingBytes;
		},
		get sentBytes() {
			return givenBytes - channel.pendingBytes;
		},
		send(bytes) {
			givenBytes += bytes.length;
			connection.send(bytes);
		},
		close: () => connection.close(new GoneError("session.closed", "The connection to the destination was closed")),
	};
}

function refusal(method: string, { status }: RtspResponseMessage): SluiceError {
	const message = `The destination answered ${method} with status ${status}`;
	if (status === 403) return new DeniedError("access.forbidden", `${message}: its user may not publish there`);
	return new ProtocolError("rtsp.state", message);
}
