import type { Clock } from "#shared/clock.ts";
import { DEFAULT_PATH_CONFIG, type PathConfig } from "#shared/config/path-config.ts";
import type { PathName } from "#shared/path-name.ts";
import type { SluiceError } from "#shared/problem.ts";
import { type FrameTicks, frameTicksOf } from "../codecs/audio-duration.ts";
import type { Codec } from "../codecs/codec.ts";
import type { Logger } from "../log.ts";
import type { Depacketizer } from "../rtp/access-unit.ts";
import { createDepacketizer } from "../rtp/depacketizer.ts";
import { describeCodec } from "../rtp/format.ts";
import { newRtpPacket, readRtpPacket } from "../rtp/rtp-packet.ts";
import { nearestTimestamp } from "../rtp/timestamp.ts";
import type { Numbering, Publication, ReadableStreamOfPath, ReaderInfo, Rendition } from "../stream/publication.ts";
import { PACKET_STRIDE, type RtpBatch } from "../stream/rtp-batch.ts";
import type { PacketSink, SenderReport } from "../stream/sink.ts";
import { Stream, UNCOUNTED_READER } from "../stream/stream.ts";
import type { Track } from "../stream/track.ts";
import { OUTPUT_CLOCK_RATE } from "./ffmpeg-arguments.ts";
import type { OpenTranscoder, Transcoders } from "./transcoders.ts";

const OPUS_PAYLOAD_TYPE = 111;
/** Reports come in the source's wall-clock time, which was put right already; limits are the source's business. */
const CONFIG: PathConfig = {
	...DEFAULT_PATH_CONFIG,
	useAbsoluteTimestamp: true,
	rtspGOPCache: false,
	maxReaders: 0,
	alwaysAvailable: false,
};

export type DerivedSoundOptions = {
	readonly source: ReadableStreamOfPath;
	/** The source's, whose sound it is. */
	readonly track: Track;
	/** Of what comes out. */
	readonly channels: 1 | 2;
	readonly transcoders: Transcoders;
	readonly clock: Clock;
	readonly log: Logger;
	/** A program is about to run for it, or no longer does. */
	readonly onRun: (isRunning: boolean) => void;
	/** The source has ended. Called at most once. */
	readonly onEnd: () => void;
};

/**
 * The sound of a stream in Opus, as a stream of its own with this one track. Nothing runs before somebody reads it. Its
 * time stamps are the source's, counted at 48 kHz, and so are those of its sender reports.
 */
export class DerivedSound implements ReadableStreamOfPath {
	readonly #options: DerivedSoundOptions;
	readonly #stream: Stream;
	readonly #publication: Publication;
	readonly #frameTicks: FrameTicks | null;
	readonly #packet = newRtpPacket();
	#running: { readonly seat: Disposable; readonly transcoder: OpenTranscoder } | null = null;
	#depacketizer: Depacketizer | null = null;
	/** The newest time stamp of the source, counted on over its roll-overs; `null` before the first. */
	#time: number | null = null;
	/** Came before the first packet. */
	#heldReport: SenderReport | null = null;

	constructor(options: DerivedSoundOptions) {
		const { source, track, channels, clock, log } = options;
		this.#options = options;
		this.#frameTicks = frameTicksOf(track.codec, track.clockRate);
		const onReader = () => {
			if (this.#stream.readerCount === 0) void this.#stop();
		};
		this.#stream = new Stream({ path: source.path, config: CONFIG, clock, log, onReader });
		const codec: Codec = { name: "Opus", channels };
		const rtp = { payloadType: OPUS_PAYLOAD_TYPE, encoding: "", fmtp: "", ...describeCodec(codec, OUTPUT_CLOCK_RATE) };
		this.#publication = this.#stream.publish(
			{
				path: source.path,
				tracks: [{ kind: "audio", codec, clockRate: OUTPUT_CLOCK_RATE, rtp }],
				publisher: { id: this.#stream.id, protocol: "transcode", remoteAddress: "", role: "source" },
				onEvicted: () => undefined,
			},
			() => undefined,
		);
	}

	get path(): PathName {
		return this.#options.source.path;
	}

	get renditions(): readonly Rendition[] {
		return [];
	}

	get tracks(): readonly Track[] {
		return this.#stream.tracks;
	}

	get numbering(): Numbering {
		return this.#stream.numbering;
	}

	/** Nobody listens to the sound that is sent back. */
	readonly backChannel = null;

	ssrcOf(track: number): number {
		return this.#stream.ssrcOf(track);
	}

	/** Sound needs none. */
	askKeyFrame(): void {}

	position(track: number): { readonly sequence: number; readonly rtpTime: number; readonly ssrc: number } | null {
		return this.#stream.position(track);
	}

	readPackets(sink: PacketSink, reader?: ReaderInfo): Disposable {
		this.#start();
		try {
			return this.#stream.readPackets(sink, reader);
		} finally {
			if (this.#stream.readerCount === 0) void this.#stop();
		}
	}

	readUnits(): Disposable {
		throw new TypeError("Sound that is made for readers of packets has no units");
	}

	/** Ends its readers and what runs for them. Resolves when that has ended. */
	end(reason: SluiceError): Promise<void> {
		const stopped = this.#stop();
		this.#stream.end(reason);
		return stopped;
	}

	#start(): void {
		if (this.#running !== null) return;
		const { source, track, transcoders } = this.#options;
		this.#depacketizer = createDepacketizer(track.codec, track.rtp);
		const seat = source.readPackets(
			{
				push: (batch) => this.#push(batch),
				senderReport: (index, report) => {
					if (index === track.index) this.#report(report);
				},
				end: (reason) => {
					this.#options.onEnd();
					void this.end(reason);
				},
			},
			UNCOUNTED_READER,
		);
		const transcoder = transcoders.open({
			path: source.path,
			track,
			to: "Opus",
			reader: "WebRTC",
			onPacket: (time48k, bytes) => this.#give(time48k, bytes),
		});
		if (transcoder === null) seat[Symbol.dispose]();
		else this.#running = { seat, transcoder };
		this.#options.onRun(this.#running !== null);
	}

	async #stop(): Promise<void> {
		const running = this.#running;
		if (running === null) return;
		this.#running = null;
		running.seat[Symbol.dispose]();
		await running.transcoder.close();
		if (this.#running === null) this.#options.onRun(false);
	}

	#push(batch: RtpBatch): void {
		const { packets } = batch;
		const { index } = this.#options.track;
		const packet = this.#packet;
		// Not a `Buffer`, of which `slice` is a view.
		const bytes = new Uint8Array(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
		for (let i = 0; i < packets.length; i += PACKET_STRIDE) {
			if (packets[i] !== index || !readRtpPacket(packet, bytes, packets[i + 1] ?? 0, packets[i + 2] ?? 0)) continue;
			for (const unit of this.#depacketizer?.push(bytes, packet) ?? []) this.#take(unit.rtpTime, unit.frames);
		}
	}

	#take(rtpTime: number, frames: readonly Uint8Array[]): void {
		this.#time = this.#time === null ? rtpTime : nearestTimestamp(this.#time, rtpTime);
		if (this.#heldReport !== null) this.#report(this.#heldReport);
		let time = this.#time;
		for (const frame of frames) {
			this.#running?.transcoder.push(time, frame);
			time += this.#frameTicks?.(frame) ?? 0;
		}
	}

	#give(time48k: number, bytes: Uint8Array): void {
		const wallclockMs = this.#options.clock.now();
		this.#publication.writeUnit(0, { pts: time48k, dts: time48k, wallclockMs, randomAccess: true, frames: [bytes] });
		this.#publication.flush();
	}

	#report(report: SenderReport): void {
		this.#heldReport = this.#time === null ? report : null;
		if (this.#time === null) return;
		const time = nearestTimestamp(this.#time, report.rtpTime);
		const time48k = Math.round((time * OUTPUT_CLOCK_RATE) / this.#options.track.clockRate);
		this.#publication.writeSenderReport(0, { wallclockMs: report.wallclockMs, rtpTime: (time48k % 2 ** 32) >>> 0 });
	}
}
