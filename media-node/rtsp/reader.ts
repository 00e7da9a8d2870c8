/** What a playing session sends: the PacketSink of an RTSP reader, over TCP or UDP. */

import { randomBytes } from "node:crypto";
import type { Clock } from "#shared/clock.ts";
import { GoneError, type SluiceError } from "#shared/problem.ts";
import type { Logger } from "../log.ts";
import { type RtcpPacket, writeRtcp } from "../rtp/rtcp-packet.ts";
import { writeSenderReport } from "../rtp/sender-report.ts";
import type { ReadableStreamOfPath, ReaderInfo } from "../stream/publication.ts";
import { PACKET_STRIDE, type RtpBatch } from "../stream/rtp-batch.ts";
import type { PacketSink, SenderReport } from "../stream/sink.ts";
import { datagramRuns } from "./datagram-runs.ts";
import { type ChannelMap, frameOf, inChannels, isUsualMap } from "./interleaved.ts";
import type { Peer } from "./peer.ts";
import { type StreamSealer, sealerOf } from "./secure.ts";
import type { Transport } from "./transport.ts";
import type { UdpSockets } from "./udp.ts";

/** A reader whose connection holds more than this gets no more until it has caught up. */
export const READER_BUDGET_BYTES = 4 * 1024 * 1024;
/** When the publisher sends no reports, readers get ours this often. */
const REPORT_INTERVAL_MS = 5_000;
const LOG_INTERVAL_MS = 1_000;
/** Some cameras never send a key frame after their first, or one that cannot be told: then a reader begins anywhere. */
export const KEY_FRAME_WAIT_MS = 10_000;

/** Of all sessions of a listener, and shared by them: what each reader keeps it keeps thousands of times. */
export type ReaderEnvironment = {
	readonly udp: UdpSockets | null;
	readonly clock: Clock;
	readonly writeTimeoutMs: number;
	/** What may wait for a reader before packets are left out; never less than {@link READER_BUDGET_BYTES}. */
	readonly readerBudgetBytes: number;
};

/** Whose reader it is. */
export interface ReaderOwner {
	readonly log: Logger;
	/** The stream is over, or this reader cannot be served any more. Called at most once. */
	close(reason: SluiceError): void;
}

export type ReaderOptions = {
	readonly env: ReaderEnvironment;
	readonly owner: ReaderOwner;
	readonly stream: ReadableStreamOfPath;
	/** By track of the stream; those that were not set up are missing. */
	readonly transports: ReadonlyMap<number, Transport>;
	readonly peer: Peer;
	readonly info: ReaderInfo;
};

/** Of this server, in the reports of all readers. RFC 3550 §6.5.1. */
const CNAME = randomBytes(8).toString("hex");

export class Reader implements PacketSink, Disposable {
	readonly #options: ReaderOptions;
	readonly #channels: ChannelMap;
	readonly #mapKey: string;
	readonly #isUsual: boolean;
	readonly #kind: Transport["protocol"];
	/** Encrypts what this reader gets; `null` when it gets it in plain. */
	readonly #sealer: StreamSealer | null;
	readonly #subscription: Disposable;
	/** Waits for a key frame: at the start, and after packets were left out. */
	#skipping = true;
	#skippingSinceMs: number;
	#lastLogMs = Number.NEGATIVE_INFINITY;
	#lastReportMs: number;
	/** A bit for each track of which the publisher reports. */
	#reported = 0;
	#stuckSinceMs: number | null = null;
	#sentBefore = -1;
	#ended = false;
	packetsSent = 0;
	bytesSent = 0;
	packetsDiscarded = 0;

	/** Begins to read. @throws what {@link ReadableStreamOfPath.readPackets} throws */
	constructor(options: ReaderOptions) {
		this.#options = options;
		this.#channels = options.stream.tracks.map(({ index }) => {
			const transport = options.transports.get(index);
			return transport?.protocol === "tcp" ? transport.channels[0] : -1;
		});
		this.#mapKey = this.#channels.join(",");
		this.#isUsual = isUsualMap(this.#channels);
		const [first] = options.transports.values();
		this.#kind = first?.protocol ?? "tcp";
		this.#sealer = first?.secure === true ? sealerOf(options.stream) : null;
		this.#lastReportMs = options.env.clock.monotonic();
		this.#skippingSinceMs = this.#lastReportMs;
		this.#subscription = options.stream.readPackets(this, options.info);
	}

	push(batch: RtpBatch): void {
		// The group sends for all of its readers.
		if (this.#kind === "multicast") return;
		if (this.#skipping) {
			const isLong = this.#options.env.clock.monotonic() - this.#skippingSinceMs >= KEY_FRAME_WAIT_MS;
			if (!(batch.randomAccess || isLong) || !this.#hasRoom()) {
				this.#discard(batch);
				return;
			}
			this.#skipping = false;
		} else if (!this.#hasRoom()) {
			this.#skipping = true;
			this.#skippingSinceMs = this.#options.env.clock.monotonic();
			this.#discard(batch);
			this.#warn();
			return;
		}
		const form = this.#sealer === null ? batch : this.#sealer.seal(batch);
		if (this.#kind === "tcp") this.#sendInterleaved(form);
		else this.#sendDatagrams(form);
	}

	senderReport(track: number, report: SenderReport): void {
		this.#reported |= 1 << track;
		this.#sendRtcp(track, writeSenderReport(report, CNAME));
	}

	end(reason: SluiceError): void {
		this.#finish(reason);
	}

	/** Looks after time: reports of our own, and a connection that takes nothing. Called about once a second. */
	tick(): void {
		if (this.#ended) return;
		const { env, peer, stream } = this.#options;
		const { clock, writeTimeoutMs } = env;
		const nowMs = clock.monotonic();
		if (peer.pendingBytes === 0 || peer.sentBytes !== this.#sentBefore) this.#stuckSinceMs = null;
		else this.#stuckSinceMs ??= nowMs;
		this.#sentBefore = peer.sentBytes;
		if (this.#stuckSinceMs !== null && nowMs - this.#stuckSinceMs >= writeTimeoutMs) {
			this.#finish(new GoneError("reader.too_slow", `The reader took nothing for ${writeTimeoutMs} ms`));
			return;
		}
		if (nowMs - this.#lastReportMs < REPORT_INTERVAL_MS) return;
		this.#lastReportMs = nowMs;
		for (const track of this.#options.transports.keys()) {
			const position = stream.position(track);
			// Two clocks must not speak of one track.
			if (position === null || this.#reported & (1 << track)) continue;
			const { ssrc, rtpTime } = position;
			const report = { ssrc, rtpTime, wallclockMs: clock.now(), packets: this.packetsSent, octets: this.bytesSent };
			this.#sendRtcp(track, writeSenderReport(report, CNAME));
		}
	}

	/** Stops reading; the session may begin again with another reader. */
	[Symbol.dispose](): void {
		this.#ended = true;
		this.#subscription[Symbol.dispose]();
	}

	/** Tells the peer that its sources end. RFC 3550 §6.6. */
	bye(): void {
		for (const track of this.#options.transports.keys()) {
			const ssrc = this.#options.stream.position(track)?.ssrc;
			if (ssrc === undefined) continue;
			const packets: RtcpPacket[] = [
				{ type: "RR", ssrc, reports: [] },
				{ type: "BYE", ssrcs: [ssrc], reason: "" },
			];
			this.#sendRtcp(track, writeRtcp(packets));
		}
	}

	#hasRoom(): boolean {
		return this.#options.peer.pendingBytes <= this.#options.env.readerBudgetBytes;
	}

	#sendInterleaved(batch: RtpBatch): void {
		const bytes = this.#isUsual ? batch.bytes : inChannels(batch, this.#channels, this.#mapKey);
		if (bytes.length === 0) return;
		this.packetsSent += batch.packets.length / PACKET_STRIDE;
		this.bytesSent += bytes.length;
		this.#options.peer.send(bytes);
	}

	#sendDatagrams(batch: RtpBatch): void {
		// Runs are gathered by copying, which only pays where the kernel cuts them.
		if (this.#options.env.udp?.rtp.sendsRuns === true) this.#sendRuns(batch);
		else this.#sendSingly(batch);
	}

	#sendRuns(batch: RtpBatch): void {
		const { env, transports, peer } = this.#options;
		for (const run of datagramRuns(batch)) {
			const transport = transports.get(run.track);
			if (transport?.protocol !== "udp") continue;
			env.udp?.rtp.sendRun(run, peer.address, transport.clientPorts[0]);
			this.packetsSent += run.packets;
			this.bytesSent += run.bytes.length;
		}
	}

	#sendSingly({ bytes, packets }: RtpBatch): void {
		const { env, transports, peer } = this.#options;
		for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
			const transport = transports.get(packets[i] as number);
			if (transport?.protocol !== "udp") continue;
			const offset = packets[i + 1] as number;
			const length = packets[i + 2] as number;
			env.udp?.rtp.send(bytes.subarray(offset, offset + length), peer.address, transport.clientPorts[0]);
			this.packetsSent++;
			this.bytesSent += length;
		}
	}

	#sendRtcp(track: number, plain: Uint8Array): void {
		const { env, transports, peer } = this.#options;
		const transport = transports.get(track);
		if (transport === undefined || transport.protocol === "multicast") return;
		const packet = this.#sealer === null ? plain : this.#sealer.sealRtcp(plain);
		if (transport.protocol === "tcp") {
			if (this.#hasRoom()) peer.send(frameOf(transport.channels[1], packet));
		} else {
			env.udp?.rtcp.send(packet, peer.address, transport.clientPorts[1]);
		}
	}

	#discard(batch: RtpBatch): void {
		// Before the first packet nothing was promised yet.
		if (this.packetsSent > 0) this.packetsDiscarded += batch.packets.length / PACKET_STRIDE;
	}

	#warn(): void {
		const nowMs = this.#options.env.clock.monotonic();
		if (nowMs - this.#lastLogMs < LOG_INTERVAL_MS) return;
		this.#lastLogMs = nowMs;
		this.#options.owner.log.warn(
			{ code: "reader.too_slow", discarded: this.packetsDiscarded },
			"The reader is too slow: packets are left out up to the next key frame",
		);
	}

	#finish(reason: SluiceError): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#subscription[Symbol.dispose]();
		this.#options.owner.close(reason);
	}
}
