/** The source of RTP without a conversation: what a path's `source: udp+rtp://…` runs. */

import { InputError, SluiceError } from "#shared/problem.ts";
import type { SourceContext, SourceDriver } from "../paths/source.ts";
import { MAX_SDP_MEDIA, sdpFormats } from "../rtp/sdp-formats.ts";
import { HeldPublication } from "../stream/held-publication.ts";
import type { Track } from "../stream/track.ts";
import { parseListenUrl } from "./listen-url.ts";
import { RtpReception } from "./rtp-reception.ts";
import { type DatagramSourceOptions, SourceRun } from "./source-run.ts";
import { type DatagramHandler, UdpListener } from "./udp.ts";

/** Makes the driver of sources whose media `rtpSDP` describes. */
export function rtpSource(options: DatagramSourceOptions): SourceDriver {
	return {
		type: "rtpSource",
		schemes: ["udp+rtp://"],
		run: (context, signal) => run(context, options, signal),
	};
}

async function run(context: SourceContext, options: DatagramSourceOptions, signal: AbortSignal): Promise<never> {
	const { clock, log, readTimeoutMs } = context;
	const listen = parseListenUrl(context.source);
	const tracks = tracksOf(context.config.rtpSDP);
	let publication: HeldPublication | null = null;
	using media = new SourceRun({
		clock,
		readTimeoutMs,
		onTick: () => {
			reception.tick();
			media.wrote();
		},
		onFlush: () => reception.flush(),
	});
	const reception = new RtpReception({
		payloadTypes: tracks.map(({ rtp }) => rtp.payloadType),
		clock,
		readTimeoutMs,
		open: (sender) => {
			publication = new HeldPublication({ tracks, opening: context.publish(tracks, sender), onFailed: media.fail });
			return publication;
		},
	});
	const socketOf = (onDatagram: DatagramHandler) => ({ ...options, listen, log, onDatagram, onFailed: media.fail });
	try {
		await using _rtp = await UdpListener.open(
			socketOf((bytes, address, port) => {
				if (reception.datagram(bytes, address, port)) media.heard();
				media.wrote();
			}),
			signal,
		);
		await using _rtcp = await reportSocket(
			{ ...socketOf((bytes, address) => reception.rtcp(bytes, address)), port: listen.port + 1 },
			signal,
		);
		return await media.last(signal);
	} catch (error) {
		(publication as HeldPublication | null)?.close(error instanceof SluiceError && !signal.aborted ? error : undefined);
		throw error;
	} finally {
		const { strangers, unknown, rtcpErrors } = reception;
		if (strangers + unknown + rtcpErrors > 0) {
			log.warn({ strangers, unknown, rtcpErrors }, "The source's port got packets that were left out");
		}
	}
}

/** The socket above, for RTCP: RFC 3550 §11. Without it the media is there all the same, `null`. */
async function reportSocket(
	options: Parameters<typeof UdpListener.open>[0] & { readonly port: number },
	signal: AbortSignal,
): Promise<UdpListener | null> {
	if (options.port > 65_535) return null;
	try {
		return await UdpListener.open(options, signal);
	} catch (error) {
		if (!(error instanceof InputError)) throw error;
		options.log.warn({ err: error }, "Sender reports of the source are not heard: audio and video may be apart");
		return null;
	}
}

/** @throws InputError `config.invalid` */
function tracksOf(sdp: string): Omit<Track, "index">[] {
	const found = sdpFormats(sdp);
	const faults = found.filter((format) => typeof format === "string");
	if (found.length === 0 || faults.length > 0) {
		const why = faults.join(", ") || "it has no media line such as m=video 5000 RTP/AVP 96";
		throw new InputError("config.invalid", `The rtpSDP cannot be used: ${why}`);
	}
	const tracks = found.filter((format) => typeof format !== "string");
	if (new Set(tracks.map(({ payloadType }) => payloadType)).size < tracks.length) {
		throw new InputError(
			"config.invalid",
			`The rtpSDP names one payload type twice: of its media, at most ${MAX_SDP_MEDIA}, each needs its own`,
		);
	}
	return tracks.map(({ kind, codec, clockRate, encoding, payloadType, fmtp }) => ({
		kind,
		codec,
		clockRate,
		rtp: { payloadType, encoding, fmtp },
	}));
}
