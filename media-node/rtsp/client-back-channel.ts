/** The way back to a camera: asking for it, and sending on it. ONVIF Streaming Specification §5.3. */

import { randomBytes } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import { newRtpPacket, RTP_HEADER_BYTES, readRtpPacket, writeRtpHeader } from "../rtp/rtp-packet.ts";
import { writeSenderReport } from "../rtp/sender-report.ts";
import type { BackChannel } from "../stream/back-channel.ts";
import { Restamper } from "../stream/restamper.ts";
import { REQUIRE_BACK_CHANNEL } from "./back-channel.ts";
import type { ClientConversation } from "./client-conversation.ts";
import type { MediaWay } from "./client-media.ts";
import type { ClientRequest } from "./client-request.ts";
import { frameOf } from "./interleaved.ts";
import type { RtspResponseMessage } from "./message.ts";
import type { SourceMedia } from "./source-description.ts";

/** RFC 3550 §6.2: reports every five seconds or so. */
const REPORT_INTERVAL_MS = 5_000;
/** A camera that does not take what is said gets no more until it has caught up: old speech is of no use. */
const MAX_PENDING_BYTES = 64 * 1024;
/** The largest payload that is passed on: what fits a datagram of UDP over IPv4, with its headers. */
const MAX_PAYLOAD_BYTES = 65_507 - RTP_HEADER_BYTES;
/** What cameras say that do not know the header, or any: 551 is the one that they should say. RFC 2326 §11.3.14. */
const REFUSALS_OF_REQUIRE = [400, 405, 406, 415, 451, 454, 456, 500, 501, 505, 551];

export type Asked = {
	readonly response: RtspResponseMessage;
	/** It took the header. */
	readonly isRequired: boolean;
};

/**
 * Asks with the header that requires the back channel, and without it when the source does not like that.
 * @throws what {@link ClientConversation.ask} throws
 */
export async function askRequiring(conversation: ClientConversation, request: ClientRequest): Promise<Asked> {
	const headers = { ...request.headers, ...REQUIRE_BACK_CHANNEL };
	const response = await conversation.ask({ ...request, headers });
	if (!REFUSALS_OF_REQUIRE.includes(response.status)) return { response, isRequired: true };
	return { response: await conversation.ask(request), isRequired: false };
}

export type BackChannelOptions = {
	readonly media: SourceMedia;
	readonly way: MediaWay;
	/** Of what is sent. */
	readonly ssrc: number;
	readonly connection: ClientConversation["connection"];
	readonly clock: Clock;
};

/** Sends on what a source wants to hear: readers, one after the other, look like one source of RTP. */
export class ClientBackChannel implements BackChannel, Disposable {
	readonly format: BackChannel["format"];
	readonly #options: BackChannelOptions;
	readonly #restamper: Restamper;
	readonly #packet = newRtpPacket();
	readonly #cname = randomBytes(8).toString("hex");
	#lastReportMs: number;
	/** Something was said since the last report. */
	#isNews = false;
	#isOpen = false;
	#packets = 0;
	#octets = 0;

	constructor(options: BackChannelOptions) {
		this.#options = options;
		const { codec, clockRate, rtp, kind } = options.media.track;
		this.format = { ...rtp, codec, clockRate };
		this.#restamper = new Restamper([{ index: 0, kind, codec, clockRate, rtp }], () => options.ssrc);
		this.#lastReportMs = options.clock.monotonic();
	}

	begin(): void {
		this.#restamper.release();
	}

	/** The source plays: what is written from now on is sent. */
	open(): void {
		this.#isOpen = true;
	}

	write(bytes: Uint8Array): void {
		const packet = this.#packet;
		if (!this.#isOpen || !readRtpPacket(packet, bytes, 0, bytes.length)) return;
		if (packet.payloadLength > MAX_PAYLOAD_BYTES || !this.#hasRoom()) return;
		const { payloadOffset, payloadLength } = packet;
		this.#restamper.stamp(0, packet, this.#options.clock.monotonic());
		// Contributing sources and extensions are of the reader's session, and nothing to the camera.
		const out = new Uint8Array(RTP_HEADER_BYTES + payloadLength);
		writeRtpHeader(out, 0, packet);
		out.set(bytes.subarray(payloadOffset, payloadOffset + payloadLength), RTP_HEADER_BYTES);
		this.#send(0, out);
		this.#packets = (this.#packets + 1) >>> 0;
		this.#octets = (this.#octets + payloadLength) >>> 0;
		this.#isNews = true;
	}

	/** Reports when it is time. Called about once a second. */
	tick(): void {
		const { clock } = this.#options;
		const nowMs = clock.monotonic();
		if (nowMs - this.#lastReportMs < REPORT_INTERVAL_MS) return;
		this.#lastReportMs = nowMs;
		const position = this.#restamper.position(0, nowMs);
		// RFC 3550 §6.4: who has not sent since the last reports is no sender.
		if (!this.#isOpen || position === null || !this.#isNews || !this.#hasRoom()) return;
		this.#isNews = false;
		const { ssrc, rtpTime } = position;
		const report = { ssrc, rtpTime, wallclockMs: clock.now(), packets: this.#packets, octets: this.#octets };
		this.#send(1, writeSenderReport(report, this.#cname));
	}

	/** Sends nothing more. Idempotent. */
	[Symbol.dispose](): void {
		this.#isOpen = false;
	}

	#hasRoom(): boolean {
		return this.#options.connection.channel.pendingBytes <= MAX_PENDING_BYTES;
	}

	#send(kind: 0 | 1, packet: Uint8Array): void {
		const { way, connection } = this.#options;
		if (way.protocol === "tcp") connection.send(frameOf(way.channels[kind], packet));
		else if (kind === 0) way.say(packet);
		else way.report(packet);
	}
}
