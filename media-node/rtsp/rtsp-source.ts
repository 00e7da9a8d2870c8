/** The source that is pulled over RTSP: what a path's `source: rtsp://…` runs. */

import { GoneError, InputError } from "#shared/problem.ts";
import type { SourceContext, SourceDriver } from "../paths/source.ts";
import type { BackChannel } from "../stream/back-channel.ts";
import type { Publication } from "../stream/publication.ts";
import { sameFormats } from "../stream/same-format.ts";
import { type PullOptions, pullSource } from "./client-session.ts";
import type { PullProtocol } from "./client-setup.ts";
import { parseSourceUrl, type SourceUrl } from "./source-url.ts";

/** Makes the driver of RTSP sources. */
export function rtspSource(): SourceDriver {
	return {
		type: "rtspSource",
		schemes: ["rtsp://", "rtsps://", "rtsp+http://", "rtsps+http://", "rtsp+ws://", "rtsps+ws://"],
		run,
	};
}

async function run(context: SourceContext, signal: AbortSignal): Promise<never> {
	const url = parseSourceUrl(context.source);
	const protocols = protocolsOf(url, context);
	let publication: Publication | null = null;
	/** To whom readers talk: of the way that the source is tried now. */
	let listener: BackChannel | null = null;
	const publish: PullOptions["publish"] = async (tracks, remoteAddress, backChannel) => {
		// When nothing came by UDP the path was published already; what comes by TCP goes on with it.
		if (publication !== null && !sameFormats(publication.tracks, tracks))
			throw new GoneError("session.closed", "The source describes other media than a moment ago: it is asked anew");
		listener = backChannel;
		publication ??= await (backChannel === null
			? context.publish(tracks, remoteAddress)
			: context.publish(tracks, remoteAddress, {
					format: backChannel.format,
					begin: () => listener?.begin?.(),
					write: (packet) => listener?.write(packet),
				}));
		return publication;
	};
	for (const protocol of protocols) {
		const mayFallBack = protocol !== protocols.at(-1);
		await pullSource({ url, protocol, mayFallBack, context, publish, signal });
		context.log.info({ transport: protocol }, "The source does not come by UDP: TCP is tried");
	}
	throw new TypeError("Cannot end: the last way of a source has nothing to fall back on");
}

/** In the order in which they are tried. @throws InputError `config.invalid` for a way that the URL rules out */
function protocolsOf(url: SourceUrl, { config }: SourceContext): readonly PullProtocol[] {
	const { rtspTransport } = config;
	const isTunnel = url.tunnel !== "none";
	// Not every server that has RTSPS tells keys for UDP beside it.
	if (rtspTransport === "automatic") return url.isTls || isTunnel ? ["tcp"] : ["udp", "tcp"];
	if (isTunnel && rtspTransport !== "tcp") {
		throw new InputError(
			"config.invalid",
			`A source over HTTP or a WebSocket comes by TCP: set rtspTransport to tcp or automatic instead of ${rtspTransport}`,
		);
	}
	return [rtspTransport];
}
