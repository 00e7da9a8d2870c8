/** Agreeing with a source on how each of its media comes. RFC 2326 §10.4. */

import { randomBytes } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import type { PathConfig } from "#shared/config/path-config.ts";
import { hasCode, ProtocolError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { askRequiring } from "./client-back-channel.ts";
import { refusal } from "./client-conversation.ts";
import type { DescribedSource } from "./client-describe.ts";
import { offerKey, openerFor } from "./client-keys.ts";
import { DatagramWay, type MediaWay } from "./client-media.ts";
import {
	parseTransportAnswer,
	type TransportAnswer,
	type TransportWish,
	writeTransportWish,
} from "./client-transport.ts";
import { UdpPair } from "./client-udp.ts";
import type { RtspResponseMessage } from "./message.ts";
import type { Opener } from "./secure.ts";
import type { SourceMedia } from "./source-description.ts";
import { controlUrlOf } from "./source-url.ts";

export type PullProtocol = "udp" | "multicast" | "tcp";

export type SetupOptions = {
	readonly source: DescribedSource;
	readonly protocol: PullProtocol;
	readonly config: Pick<PathConfig, "rtspAnyPort" | "rtspUDPSourcePortRange">;
	/** Takes what is opened. */
	readonly sockets: AsyncDisposableStack;
	readonly clock: Clock;
	readonly log: Logger;
	/** Another way is to be tried when this one does not do. */
	readonly mayFallBack: boolean;
};

/** `ssrc`: of what we send to it. */
export type SetUpMedia = { readonly media: SourceMedia; readonly way: MediaWay; readonly ssrc: number };

export type SetUpSource = {
	/** What comes. */
	readonly media: readonly SetUpMedia[];
	/** What the source wants to be sent; `null` when it does not, or was not asked. */
	readonly backChannel: SetUpMedia | null;
	/** Of the reports on what comes. */
	readonly ssrc: number;
};

/**
 * Sets up every media.
 * @returns `null` when the server does not send in this way
 * @throws what {@link refusal} gives, ProtocolError `rtsp.transport`, InputError `listen.in_use`
 */
export async function setUpSource(options: SetupOptions): Promise<SetUpSource | null> {
	const { source, log } = options;
	const ready: SetUpMedia[] = [];
	const ssrc = newSsrc();
	for (const media of source.description.media) {
		const found = await setUpMedia(options, media, ready.length, ssrc);
		if (found === null) return null;
		if ("way" in found) {
			ready.push(found);
			continue;
		}
		// Metadata that a camera describes and does not give is no reason to go without its pictures.
		if (media.track.kind !== "application") throw refusal("SETUP", found);
		log.warn({ status: found.status }, "The source refuses a media that is neither video nor audio");
	}
	if (ready.length === 0) throw new ProtocolError("rtsp.transport", "The source refused to set up any of its media");
	const backChannel = await setUpBackChannel(options, ready.length);
	expectOwnChannels(backChannel === null ? ready : [...ready, backChannel]);
	return { media: ready, backChannel, ssrc };
}

/** Pictures are worth more than a way back: what is wrong with that is only told to the operator. */
async function setUpBackChannel(options: SetupOptions, index: number): Promise<SetUpMedia | null> {
	const { source, protocol, log } = options;
	const [media] = source.description.backChannels;
	// One session, one kind of transport; and nobody talks to a group.
	if (media === undefined || protocol === "multicast") return null;
	try {
		const found = await setUpMedia(options, media, index, newSsrc());
		if (found !== null && "way" in found && (found.way.protocol === "tcp" || found.way.canSay)) return found;
		log.warn(
			{ status: found !== null && "status" in found ? found.status : undefined },
			"The source describes a back channel, and does not set it up: nobody can talk to it",
		);
	} catch (error) {
		if (!hasCode(error, "rtsp.transport", "listen.in_use")) throw error;
		log.warn({ code: error.code }, `The back channel of the source cannot be used: ${error.message}`);
	}
	return null;
}

/**
 * Sets up one media, on the channels that are the `index`th pair.
 * @returns the answer when the source refuses, `null` when it does not send in this way
 */
async function setUpMedia(
	options: SetupOptions,
	media: SourceMedia,
	index: number,
	ssrc: number,
): Promise<SetUpMedia | RtspResponseMessage | null> {
	const { source, protocol, clock, mayFallBack } = options;
	const { conversation, baseUrl, aggregateUrl } = source;
	const wish = await wishOf(options, index);
	const url = controlUrlOf(baseUrl, media.control);
	const offer = wish.protocol !== "tcp" && wish.secure ? offerKey(url, ssrc, clock.now()) : null;
	const request = { method: "SETUP", url, headers: { Transport: writeTransportWish(wish), ...offer?.headers } };
	const { response } =
		source.description.backChannels.length > 0
			? await askRequiring(conversation, request)
			: { response: await conversation.ask(request) };
	if (response.status === 461) return null;
	if (response.status !== 200) return response;
	conversation.begin(aggregateUrl);
	const header = response.headers.get("transport");
	const answer = header === undefined ? silentAnswer(protocol, offer !== null) : parseTransportAnswer(header);
	if (answer === null || answer.protocol !== protocol) {
		if (protocol === "udp") return null;
		throw new ProtocolError("rtsp.transport", `The source was asked to send by ${protocol}, and agreed to another way`);
	}
	if (offer === null) {
		if (!answer.isSecure) return { media, way: await wayOf(options, wish, answer, media, null), ssrc };
		const where = protocol === "tcp" ? "inside of TLS" : "without TLS around its keys: use an rtsps:// source";
		throw new ProtocolError("rtsp.transport", `The source insists on SRTP, which is not supported ${where}`);
	}
	const opener = answer.isSecure ? openerFor(response, media.keyManagement, offer) : null;
	if (opener !== null) return { media, way: await wayOf(options, wish, answer, media, opener), ssrc };
	if (mayFallBack) return null;
	const what = answer.isSecure
		? "tells no keys for its SRTP, neither in its description nor with SETUP"
		: "sends RTP that is not encrypted";
	throw new ProtocolError("rtsp.transport", `The source ${what}: set rtspTransport to tcp`);
}

function newSsrc(): number {
	return randomBytes(4).readUInt32BE();
}

/** What a server means that does not say: what it was asked for. */
function silentAnswer(protocol: PullProtocol, isSecure: boolean): TransportAnswer {
	return { protocol, isSecure, channels: null, serverPorts: null, ports: null, source: null, destination: null };
}

type Wish =
	| Exclude<TransportWish, { readonly protocol: "udp" }>
	| (Extract<TransportWish, { readonly protocol: "udp" }> & { readonly pair: UdpPair });

async function wishOf({ protocol, source, config, sockets }: SetupOptions, index: number): Promise<Wish> {
	// UDP beside TLS would be media for everybody to see. By redirects, one comes to TLS without having asked for it.
	const secure = source.conversation.url.isTls;
	switch (protocol) {
		case "tcp":
			return { protocol, channels: [2 * index, 2 * index + 1] };
		case "multicast":
			return { protocol, secure };
		case "udp": {
			const isV6 = source.conversation.connection.channel.remoteAddress.includes(":");
			const [from = 0, to = 0] = config.rtspUDPSourcePortRange;
			const pair = sockets.use(await UdpPair.open([from, to], isV6));
			return { protocol, secure, clientPorts: [pair.rtpPort, pair.rtpPort + 1], pair };
		}
	}
}

async function wayOf(
	{ source, config, sockets }: SetupOptions,
	wish: Wish,
	answer: TransportAnswer,
	media: SourceMedia,
	opener: Opener | null,
): Promise<MediaWay> {
	const { remoteAddress, localAddress } = source.conversation.connection.channel;
	switch (wish.protocol) {
		case "tcp":
			return { protocol: "tcp", channels: answer.channels ?? wish.channels };
		case "udp":
			return new DatagramWay({
				pair: wish.pair,
				serverAddress: remoteAddress,
				answer,
				group: null,
				isAnyPort: config.rtspAnyPort,
				opener,
			});
		case "multicast": {
			const address = answer.destination ?? media.address;
			const port = answer.ports?.[0] ?? media.port;
			if (address === null || port === 0) {
				throw new ProtocolError("rtsp.transport", "The source does not say the group and port of its multicast");
			}
			const pair = sockets.use(await UdpPair.join(address, port, localAddress));
			const group = { address, port };
			return new DatagramWay({ pair, serverAddress: remoteAddress, answer, group, isAnyPort: true, opener });
		}
	}
}

function expectOwnChannels(ready: readonly SetUpMedia[]): void {
	const channels = ready.flatMap(({ way }) => (way.protocol === "tcp" ? way.channels : []));
	if (new Set(channels).size === channels.length) return;
	throw new ProtocolError("rtsp.transport", "The source gives the same channel to two of its media");
}
