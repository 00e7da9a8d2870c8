/** Pulling from a source in one way of transport: from its description to its end. */

import { abortedError } from "#shared/clock.ts";
import { ProtocolError } from "#shared/problem.ts";
import type { SourceContext } from "../paths/source.ts";
import type { BackChannel } from "../stream/back-channel.ts";
import type { Publication, PublishRequest } from "../stream/publication.ts";
import { askRequiring, ClientBackChannel } from "./client-back-channel.ts";
import { type ClientConversation, refusal } from "./client-conversation.ts";
import { type DescribedSource, describeSource } from "./client-describe.ts";
import { reportFrame } from "./client-media.ts";
import { playHeaders } from "./client-play.ts";
import { type PullProtocol, type SetUpSource, setUpSource } from "./client-setup.ts";
import { Reception } from "./reception.ts";
import type { SourceUrl } from "./source-url.ts";

export type PullOptions = {
	readonly url: SourceUrl;
	readonly protocol: PullProtocol;
	/** When nothing comes by UDP, another way is to be tried. */
	readonly mayFallBack: boolean;
	readonly context: Omit<SourceContext, "publish">;
	readonly publish: (
		tracks: PublishRequest["tracks"],
		remoteAddress: string,
		backChannel: BackChannel | null,
	) => Promise<Publication>;
	readonly signal: AbortSignal;
};

/** How long the first packet of UDP is waited for. */
const FIRST_PACKET_MS = 3_000;
const TICK_MS = 1_000;

/**
 * Brings the media of a source until the signal aborts or the source fails.
 * @returns when the source does not send in this way, and another one is to be tried
 * @throws SluiceError why it ended
 */
export async function pullSource(options: PullOptions): Promise<void> {
	const { url, protocol, mayFallBack, context, publish, signal } = options;
	const { config, clock, log, readTimeoutMs } = context;
	await using sockets = new AsyncDisposableStack();
	const source = await describeSource(
		url,
		{ fingerprint: config.sourceFingerprint, clock, timeoutMs: readTimeoutMs, signal },
		config.rtspBackChannel && protocol !== "multicast",
	);
	await using conversation = source.conversation;
	for (const reason of source.description.skipped) log.warn({}, `Of the source is left out: ${reason}`);
	const setUp = await setUpSource({ source, protocol, config, sockets, clock, log, mayFallBack });
	if (setUp === null) {
		if (mayFallBack) return;
		throw new ProtocolError("rtsp.transport", `The source does not send by ${protocol}: set rtspTransport to another`);
	}
	const { media: ready } = setUp;
	const { connection } = conversation;
	using backChannel =
		setUp.backChannel === null ? null : new ClientBackChannel({ ...setUp.backChannel, connection, clock });
	const publication = await publish(
		ready.map(({ media }) => media.track),
		`${connection.channel.remoteAddress}:${connection.channel.remotePort}`,
		backChannel,
	);
	using reception = receptionOf(setUp, publication, conversation, options);
	const openWays = () => {
		for (const { way } of ready) if (way.protocol === "udp") way.open(setUp.ssrc);
	};
	openWays();
	const request = { method: "PLAY", url: source.aggregateUrl, headers: playHeaders(config) };
	const playing =
		backChannel === null ? await conversation.ask(request) : (await askRequiring(conversation, request)).response;
	if (playing.status !== 200) throw refusal("PLAY", playing);
	backChannel?.open();
	log.info({ transport: protocol, tracks: ready.length, listens: backChannel !== null }, "The source plays");
	const tick = () => {
		reception.tick();
		backChannel?.tick();
	};
	await lasting(options, source, { reception, tick, openWays });
}

/** Leads what comes on each way to its track. */
function receptionOf(
	{ media: ready, ssrc }: SetUpSource,
	publication: Publication,
	{ connection }: ClientConversation,
	{ context }: PullOptions,
): Reception {
	const reception = new Reception({
		publication,
		datagrams: ready.map(({ way }) => way.protocol === "udp"),
		clock: context.clock,
		ssrc,
		sendReport: (track, packet) => {
			const way = ready[track]?.way;
			if (way?.protocol === "udp") way.report(packet);
			else if (way?.protocol === "tcp") connection.send(reportFrame(way, packet));
		},
	});
	/** The track of each RTP channel, and the complement of the track of each RTCP channel. */
	const channels = new Map<number, number>();
	for (const [track, { way }] of ready.entries()) {
		if (way.protocol === "udp") {
			way.attach(reception, track);
			continue;
		}
		channels.set(way.channels[0], track);
		channels.set(way.channels[1], ~track);
	}
	connection.handle({
		onFrame(channel, bytes, offset, length) {
			const track = channels.get(channel);
			if (track === undefined) return;
			if (track >= 0) reception.rtp(track, bytes, offset, length);
			else reception.rtcp(~track, bytes, offset, length);
		},
		onFlush: () => reception.flush(),
	});
	return reception;
}

/** Returns when nothing comes by UDP; throws for every other end. */
async function lasting(
	{ protocol, mayFallBack, context, signal }: PullOptions,
	{ conversation, aggregateUrl, methods }: DescribedSource,
	playing: { readonly reception: Reception; readonly tick: () => void; readonly openWays: () => void },
): Promise<void> {
	const { reception, openWays } = playing;
	const { clock, log, readTimeoutMs } = context;
	const playedMs = clock.monotonic();
	const keepAliveMs = conversation.sessionTimeoutMs / 2;
	const method = methods.includes("GET_PARAMETER") ? "GET_PARAMETER" : "OPTIONS";
	let keptAliveMs = playedMs;
	let isAsking = false;
	const keepAlive = async () => {
		isAsking = true;
		try {
			await conversation.ask({ method, url: aggregateUrl });
		} catch (error) {
			// As long as media comes, the source lives, whatever it thinks of being asked.
			log.debug({ err: error }, "The source does not like to be kept alive");
		}
		isAsking = false;
	};
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const tick = () => {
		playing.tick();
		const nowMs = clock.monotonic();
		if (mayFallBack && reception.datagramBytes === 0 && nowMs - playedMs >= FIRST_PACKET_MS) {
			resolve();
			return;
		}
		if (Math.min(reception.silentMs, nowMs - playedMs) >= readTimeoutMs) {
			reject(new ProtocolError("rtsp.timeout", `The source sent no media by ${protocol} for ${readTimeoutMs} ms`));
			return;
		}
		if (isAsking || nowMs - keptAliveMs < keepAliveMs) return;
		keptAliveMs = nowMs;
		openWays();
		void keepAlive();
	};
	const onAbort = () => reject(abortedError(signal));
	if (signal.aborted) onAbort();
	signal.addEventListener("abort", onAbort, { once: true });
	void conversation.connection.ended.then(reject);
	using _ticking = clock.every(TICK_MS, tick);
	try {
		await promise;
	} finally {
		signal.removeEventListener("abort", onAbort);
	}
}
