/** Sends streams on over WebRTC: what `forward` with `whip://…` runs. */

import { randomBytes } from "node:crypto";
import type { ForwardContext, ForwardDriver } from "../../paths/forward.ts";
import type { ReadableStreamOfPath } from "../../stream/publication.ts";
import { UNCOUNTED_READER } from "../../stream/stream.ts";
import { type PushOffer, pushedTracks, pushOffer } from "../sdp/negotiate-push.ts";
import type { OutgoingTrack } from "../sdp/negotiate-read.ts";
import { withoutMadeSound } from "../send/made-sound.ts";
import { Outgoing } from "../send/outgoing.ts";
import { openCall, type WebRtcClientOptions } from "./client-call.ts";
import { whipTarget } from "./whip-client.ts";

/** Servers give up on who sends nothing for two seconds; whoever reads from them waits for a key frame by himself. */
const KEY_FRAME_WAIT_MS = 700;

export type WhipForwardOptions = WebRtcClientOptions & {
	/** The sound of a stream in Opus, where it is not; `null` when none can be made. */
	readonly opusOf: (stream: ReadableStreamOfPath) => ReadableStreamOfPath | null;
};

/** Makes the driver of WHIP destinations. */
export function whipForward(options: WhipForwardOptions): ForwardDriver {
	return { schemes: ["whip://", "whips://"], run: (context, signal) => run(context, options, signal) };
}

async function run(context: ForwardContext, client: WhipForwardOptions, signal: AbortSignal): Promise<never> {
	const { url, settings, stream, clock, log, timeoutMs } = context;
	const { whipBearerToken, destFingerprint } = settings;
	const target = whipTarget(url, { token: whipBearerToken, fingerprint: destFingerprint, clock, timeoutMs });
	await using parts = new AsyncDisposableStack();
	const opus = client.opusOf(stream);
	const made = opus?.tracks ?? [];
	let pushed: PushOffer | null = null;
	let tracks: readonly OutgoingTrack[] = [];
	const { transport, ended } = await openCall(
		{
			...{ target, client, handshakeTimeoutMs: timeoutMs, silenceTimeoutMs: timeoutMs, parts, clock, log },
			offer: (local) => {
				pushed = pushOffer([...stream.tracks, ...made], { local, cname: randomBytes(8).toString("hex"), newSsrc });
				for (const { codec, kind } of pushed.leftOut) {
					if (kind !== "audio" || opus === null) log.info({}, `A WHIP server does not get ${codec.name}`);
				}
				return pushed.offer;
			},
			accept: (answer) => {
				if (pushed !== null) tracks = pushedTracks(pushed, answer);
			},
		},
		signal,
	);
	const { tracks: own, sound } = withoutMadeSound(tracks, opus);
	const outgoing = parts.use(
		new Outgoing({
			stream,
			tracks: own,
			...(sound === null ? {} : { sound }),
			keyFrameWaitMs: KEY_FRAME_WAIT_MS,
			clock,
			sendRtp: (packet) => transport.sendRtp(packet),
			sendRtcp: (packet) => transport.sendRtcp(packet),
			askKeyFrame: (track) => stream.askKeyFrame(track),
			onEnd: (reason) => transport.end(reason),
			onWarning: (text) => log.warn({}, text),
		}),
	);
	parts.defer(() => outgoing.bye());
	transport.onRtcp = (packet) => outgoing.rtcp(packet);
	parts.use(stream.readPackets(outgoing, UNCOUNTED_READER));
	if (sound !== null) parts.use(sound.stream.readPackets(outgoing.sound));
	for (const { track } of tracks) if (track.kind === "video") stream.askKeyFrame(track.index);
	context.onForwarding(() => transport.bytesSent);
	return await ended;
}

function newSsrc(): number {
	return randomBytes(4).readUInt32BE();
}
