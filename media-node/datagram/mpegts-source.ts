/** The source of MPEG-TS in datagrams: what a path's `source: udp+mpegts://…` runs. */

import { SluiceError } from "#shared/problem.ts";
import { u8 } from "../bytes/big-endian.ts";
import type { SourceContext, SourceDriver } from "../paths/source.ts";
import { ReorderBuffer } from "../rtp/reorder.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import { TsPublisher } from "../stream/ts-publisher.ts";
import { parseListenUrl } from "./listen-url.ts";
import { TrustedSender } from "./sender.ts";
import { type DatagramSourceOptions, SourceRun } from "./source-run.ts";
import { UdpListener } from "./udp.ts";

const TS_SYNC = 0x47;
/** MP2T, RFC 3551 §6. */
const TS_PAYLOAD_TYPE = 33;

/** Makes the driver of sources that send a transport stream, bare or in RTP. */
export function mpegtsSource(options: DatagramSourceOptions): SourceDriver {
	return {
		type: "mpegtsSource",
		schemes: ["udp+mpegts://", "udp://"],
		run: (context, signal) => run(context, options, signal),
	};
}

async function run(context: SourceContext, options: DatagramSourceOptions, signal: AbortSignal): Promise<never> {
	const listen = parseListenUrl(context.source);
	const reception = new MpegtsReception(context);
	using media = reception.run;
	try {
		await using _socket = await UdpListener.open(
			{
				...options,
				listen,
				log: context.log,
				onDatagram: (bytes, address, port) => reception.datagram(bytes, address, port),
				onFailed: media.fail,
			},
			signal,
		);
		return await media.last(signal);
	} catch (error) {
		reception.close(error instanceof SluiceError && !signal.aborted ? error : undefined);
		throw error;
	}
}

/** Takes the datagrams of one run. */
export class MpegtsReception {
	readonly run: SourceRun;
	readonly #context: SourceContext;
	readonly #sender: TrustedSender;
	readonly #publisher: TsPublisher;
	#reorder = new ReorderBuffer();
	readonly #packet = newRtpPacket();

	constructor(context: SourceContext) {
		const { clock, readTimeoutMs } = context;
		this.#context = context;
		this.#sender = new TrustedSender(clock, readTimeoutMs);
		this.run = new SourceRun({
			clock,
			readTimeoutMs,
			onTick: () => this.#deliver(this.#reorder.expire(clock.monotonic())),
			onFlush: () => this.#publisher.flush(),
		});
		this.#publisher = new TsPublisher({
			clock,
			publish: (tracks) => context.publish(tracks, this.#sender.name),
			onFailed: this.run.fail,
		});
	}

	/** A datagram from anybody. */
	datagram(bytes: Uint8Array, address: string, port: number): void {
		const ssrc = this.#ssrcOf(bytes, address, port);
		if (ssrc === undefined) return;
		const whose = this.#sender.hears(address, port, ssrc);
		if (whose === "stranger") return;
		if (whose === "new") this.#reorder = new ReorderBuffer();
		const before = this.#publisher.units;
		if (ssrc === null) this.#publisher.push(bytes);
		else this.#deliver(this.#reorder.push(bytes, this.#context.clock.monotonic()));
		// Once there are pictures, packets without any are not what is waited for.
		if (before === 0 || this.#publisher.units > before) this.run.heard();
		this.run.wrote();
	}

	/** Gives what there is of the transport stream, and leaves the path. */
	close(reason?: SluiceError): void {
		const { strangers } = this.#sender;
		if (strangers > 0) this.#context.log.warn({ strangers }, "Packets of another sender than the first were left out");
		this.#publisher.close(reason);
	}

	/** `null` for a transport stream without RTP, `undefined` for what is none. */
	#ssrcOf(bytes: Uint8Array, address: string, port: number): number | null | undefined {
		if (bytes.length > 0 && u8(bytes, 0) === TS_SYNC) return null;
		const packet = this.#packet;
		const isRtp = readRtpPacket(packet, bytes, 0, bytes.length) && packet.payloadType === TS_PAYLOAD_TYPE;
		if (isRtp) return packet.ssrc;
		// Who sends a transport stream may cut it anywhere.
		return this.#sender.isOf(address, port, null) ? null : undefined;
	}

	#deliver(packets: readonly Uint8Array[]): void {
		const packet = this.#packet;
		for (const bytes of packets) {
			if (!readRtpPacket(packet, bytes, 0, bytes.length)) continue;
			this.#publisher.push(bytes.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength));
		}
		if (packets.length > 0) this.run.wrote();
	}
}
