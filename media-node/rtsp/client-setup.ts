/** Agreeing with a source on how each of its media comes. RFC 2326 §10.4. */

import type { PathConfig } from "#shared/config/path-config.ts";
import { ProtocolError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { refusal } from "./client-conversation.ts";
import type { DescribedSource } from "./client-describe.ts";
import { DatagramWay, type MediaWay } from "./client-media.ts";
import {
	parseTransportAnswer,
	type TransportAnswer,
	type TransportWish,
	writeTransportWish,
} from "./client-transport.ts";
import { UdpPair } from "./client-udp.ts";
import type { SourceMedia } from "./source-description.ts";
import { controlUrlOf } from "./source-url.ts";

export type PullProtocol = "udp" | "multicast" | "tcp";

export type SetupOptions = {
	readonly source: DescribedSource;
	readonly protocol: PullProtocol;
	readonly config: Pick<PathConfig, "rtspAnyPort" | "rtspUDPSourcePortRange">;
	/** Takes what is opened. */
	readonly sockets: AsyncDisposableStack;
	readonly log: Logger;
};

export type SetUpMedia = { readonly media: SourceMedia; readonly way: MediaWay };

/**
 * Sets up every media.
 * @returns `null` when the server does not send in this way
 * @throws what {@link refusal} gives, ProtocolError `rtsp.transport`, InputError `listen.in_use`
 */
export async function setUpSource(options: SetupOptions): Promise<SetUpMedia[] | null> {
	const { source, protocol, log } = options;
	const { conversation, baseUrl, aggregateUrl } = source;
	const ready: SetUpMedia[] = [];
	for (const media of source.description.media) {
		const wish = await wishOf(options, ready.length);
		const url = controlUrlOf(baseUrl, media.control);
		const headers = { Transport: writeTransportWish(wish) };
		const response = await conversation.ask({ method: "SETUP", url, headers });
		if (response.status === 461) return null;
		if (response.status !== 200) {
			// Metadata that a camera describes and does not give is no reason to go without its pictures.
			if (media.track.kind !== "application") throw refusal("SETUP", response);
			log.warn({ status: response.status }, "The source refuses a media that is neither video nor audio");
			continue;
		}
		conversation.begin(aggregateUrl);
		const header = response.headers.get("transport");
		const answer = header === undefined ? silentAnswer(protocol) : parseTransportAnswer(header);
		if (answer === null || answer.protocol !== protocol) {
			if (protocol === "udp") return null;
			throw new ProtocolError(
				"rtsp.transport",
				`The source was asked to send by ${protocol}, and agreed to another way`,
			);
		}
		if (answer.isSecure) {
			throw new ProtocolError("rtsp.transport", "The source insists on SRTP, which is not supported inside of TLS");
		}
		ready.push({ media, way: await wayOf(options, wish, answer, media) });
	}
	if (ready.length === 0) throw new ProtocolError("rtsp.transport", "The source refused to set up any of its media");
	expectOwnChannels(ready);
	return ready;
}

/** What a server means that does not say: what it was asked for. */
function silentAnswer(protocol: PullProtocol): TransportAnswer {
	return { protocol, isSecure: false, channels: null, serverPorts: null, ports: null, source: null, destination: null };
}

type Wish =
	| Exclude<TransportWish, { readonly protocol: "udp" }>
	| (Extract<TransportWish, { readonly protocol: "udp" }> & { readonly pair: UdpPair });

async function wishOf({ protocol, source, config, sockets }: SetupOptions, index: number): Promise<Wish> {
	switch (protocol) {
		case "tcp":
			return { protocol, channels: [2 * index, 2 * index + 1] };
		case "multicast":
			return { protocol };
		case "udp": {
			const isV6 = source.conversation.connection.channel.remoteAddress.includes(":");
			const [from = 0, to = 0] = config.rtspUDPSourcePortRange;
			const pair = sockets.use(await UdpPair.open([from, to], isV6));
			return { protocol, clientPorts: [pair.rtpPort, pair.rtpPort + 1], pair };
		}
	}
}

async function wayOf(
	{ source, config, sockets }: SetupOptions,
	wish: Wish,
	answer: TransportAnswer,
	media: SourceMedia,
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
			});
		case "multicast": {
			const address = answer.destination ?? media.address;
			const port = answer.ports?.[0] ?? media.port;
			if (address === null || port === 0) {
				throw new ProtocolError("rtsp.transport", "The source does not say the group and port of its multicast");
			}
			const pair = sockets.use(await UdpPair.join(address, port, localAddress));
			const group = { address, port };
			return new DatagramWay({ pair, serverAddress: remoteAddress, answer, group, isAnyPort: true });
		}
	}
}

function expectOwnChannels(ready: readonly SetUpMedia[]): void {
	const channels = ready.flatMap(({ way }) => (way.protocol === "tcp" ? way.channels : []));
	if (new Set(channels).size === channels.length) return;
	throw new ProtocolError("rtsp.transport", "The source gives the same channel to two of its media");
}
