/** The source that is pulled over WebRTC: what a path's `source: whep://…` runs. */

import { throwIfAborted } from "#shared/clock.ts";
import { durationMs } from "#shared/config/duration.ts";
import { ProtocolError, type SluiceError } from "#shared/problem.ts";
import type { SourceContext, SourceDriver } from "../../paths/source.ts";
import { Incoming } from "../receive/incoming.ts";
import { pulledMedia, pullOffer } from "../sdp/negotiate-pull.ts";
import { type Call, openCall, type WebRtcClientOptions } from "./client-call.ts";
import { TrackGathering } from "./track-gathering.ts";
import { whipTarget } from "./whip-client.ts";

/** As for publishers: HLS begins its segments at key frames. */
const KEY_FRAME_INTERVAL_MS = 2_000;
const WATCH_MS = 1_000;

/** Makes the driver of WHEP sources. */
export function whepSource(client: WebRtcClientOptions): SourceDriver {
	return {
		type: "webRTCSource",
		schemes: ["whep://", "wheps://"],
		run: (context, signal) => run(context, client, signal),
	};
}

async function run(context: SourceContext, client: WebRtcClientOptions, signal: AbortSignal): Promise<never> {
	const { clock, config, log } = context;
	const handshakeTimeoutMs = durationMs(config.whepHandshakeTimeout);
	const target = whipTarget(context.source, {
		...{ token: config.whepBearerToken, fingerprint: config.sourceFingerprint },
		...{ clock, timeoutMs: handshakeTimeoutMs },
	});
	await using parts = new AsyncDisposableStack();
	let gathering = new TrackGathering([]);
	const call = await openCall(
		{
			...{ target, client, handshakeTimeoutMs, silenceTimeoutMs: context.readTimeoutMs, parts, clock, log },
			offer: pullOffer,
			accept: (answer, offer, transport) => {
				gathering = new TrackGathering(pulledMedia(offer, answer));
				transport.onRtp = (packet) => gathering.rtp(packet);
			},
		},
		signal,
	);
	await Promise.race([gather(gathering, context, signal), call.ended]);
	await receive(call, gathering, context, parts);
	return await call.ended;
}

/** Waits until something has come of all media, or for as long as is configured. */
async function gather(gathering: TrackGathering, { clock, config }: SourceContext, signal: AbortSignal): Promise<void> {
	const timeoutMs = durationMs(config.whepTrackGatherTimeout);
	const done = new AbortController();
	const timer = clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal])).catch(() => undefined);
	await Promise.race([gathering.complete, timer]);
	done.abort();
	throwIfAborted(signal);
	if (gathering.tracks.length === 0) throw silent(timeoutMs);
}

/** Publishes, and lets media flow until the parts are disposed of. */
async function receive(
	{ transport }: Call,
	gathering: TrackGathering,
	{ clock, log, readTimeoutMs, publish }: SourceContext,
	parts: AsyncDisposableStack,
): Promise<void> {
	let incoming: Incoming | null = null;
	const publication = await publish(
		gathering.tracks.map(({ track }) => track),
		transport.remoteAddress ?? "",
		undefined,
		(track) => incoming?.keyFrameNeeded(track),
	);
	const flow = parts.use(
		new Incoming({
			publication,
			tracks: gathering.tracks,
			clock,
			sendRtcp: (packet) => void transport.sendRtcp(packet),
			onWarning: (text) => log.warn({}, text),
		}),
	);
	incoming = flow;
	gathering.replay((packet) => flow.rtp(packet));
	transport.onRtp = (packet) => flow.rtp(packet);
	transport.onRtcp = (packet) => flow.rtcp(packet);
	flow.readerJoined();
	parts.use(clock.every(KEY_FRAME_INTERVAL_MS, () => flow.readerJoined()));
	parts.use(
		clock.every(WATCH_MS, () => {
			if (flow.silentMs >= readTimeoutMs) transport.end(silent(readTimeoutMs));
		}),
	);
}

function silent(ms: number): SluiceError {
	return new ProtocolError("source.timeout", `The source sent no media for ${ms} ms`);
}
