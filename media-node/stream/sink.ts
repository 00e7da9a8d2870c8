import type { SluiceError } from "#shared/problem.ts";
import type { RtpBatch } from "./rtp-batch.ts";
import type { Track } from "./track.ts";
import type { Unit } from "./unit.ts";

/**
 * Something that takes a stream's RTP packets: an RTSP reader. All calls are synchronous, must not throw and must not
 * wait; a sink that cannot keep up drops by itself (see {@link RtpBatch.randomAccess}).
 */
export interface PacketSink {
	push(batch: RtpBatch): void;
	/** A sender report of the publisher, in the stream's continuous time stamps. */
	senderReport(track: number, report: SenderReport): void;
	/** The stream is over, or its tracks are no longer those that were read. Called once, last. */
	end(reason: SluiceError): void;
}

/** RFC 3550 §6.4.1: what wall-clock time an RTP time stamp stands for. */
export type SenderReport = {
	/** Milliseconds since the Unix epoch. */
	readonly wallclockMs: number;
	readonly rtpTime: number;
	readonly ssrc: number;
	readonly packets: number;
	readonly octets: number;
};

/** Something that takes a stream's access units: a packager, a recorder. Same rules as {@link PacketSink}. */
export interface UnitSink {
	/**
	 * The tracks of the publisher whose units follow. Called before the first unit, and again after each break: what
	 * follows does not continue what came before.
	 */
	begin(tracks: readonly Track[]): void;
	push(unit: Unit): void;
	/** The publisher went away; another may come within the reconnect window. What was begun should be finished. */
	pause(): void;
	/** The stream is over. Called once, last. */
	end(reason: SluiceError): void;
}
