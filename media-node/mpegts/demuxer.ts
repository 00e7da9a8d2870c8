import type { Codec } from "../codecs/codec.ts";
import type { RtpFormat, Track } from "../stream/track.ts";
import type { ElementaryParser, ElementaryUnit } from "./elementary-parser.ts";
import { NULL_PID, parseTsPacket, type TsPacket } from "./packet.ts";
import { PacketSplitter } from "./packet-splitter.ts";
import { PesAssembler, type PesPacket } from "./pes.ts";
import { type ElementaryStream, firstProgram, parseProgramMap } from "./program-table.ts";
import { parseSection, SectionAssembler } from "./section.ts";
import { parserOf } from "./stream-kind.ts";
import { TimeUnwrapper } from "./unwrap.ts";

/** An access unit. Times are ticks of its track's clock and never wrap; frames are as `Unit` has them, and keep. */
export type TsUnit = ElementaryUnit & { readonly trackIndex: number };
export type TsTrack = Omit<Track, "index">;

/**
 * How RTP carries a codec; `null` leaves its track out. `index` is the track's, for a payload type that no other has.
 */
export type RtpFormatOf = (codec: Codec, clockRate: number, index: number) => RtpFormat | null;

export type TsCounters = {
	/** Transport packets that were lost, by their continuity counters: how many times. */
	readonly continuityErrors: number;
	/** How many times the sync byte was not where it belongs. */
	readonly syncLosses: number;
	/** Access units and tables that were left out because they were incomplete or malformed. */
	readonly dropped: number;
};

type Elementary = {
	readonly parser: ElementaryParser;
	readonly pes: PesAssembler;
	/** `null` before the tracks are known, and for one that became none. */
	trackIndex: number | null;
	/** What came before the tracks were known. */
	held: ElementaryUnit[];
};

/** As much is read before a stream that says nothing of itself is left out. */
export const MAX_PROBE_BYTES = 8 * 1024 * 1024;

const PAT_PID = 0;

/**
 * Takes an MPEG transport stream apart, ISO 13818-1: the first program of it, and of that the streams which
 * `parserOf` knows. Pure: bytes in, access units out. Never throws.
 */
export class TsDemuxer {
	readonly #rtpFormat: RtpFormatOf;
	readonly #splitter = new PacketSplitter();
	readonly #pat = new SectionAssembler();
	readonly #pmt = new SectionAssembler();
	readonly #continuity = new Map<number, number>();
	readonly #time = new TimeUnwrapper();
	#pmtPid: number | null = null;
	#streams: Map<number, Elementary> | null = null;
	#tracks: readonly TsTrack[] | null = null;
	#now: number | null = null;
	#probedBytes = 0;
	#continuityErrors = 0;
	#units: TsUnit[] = [];

	constructor({ rtpFormat }: { readonly rtpFormat: RtpFormatOf }) {
		this.#rtpFormat = rtpFormat;
	}

	/** The tracks, once all that can be known of them is known; `null` before. They may be none. */
	get tracks(): readonly TsTrack[] | null {
		return this.#tracks;
	}

	/** A program map was found. */
	get hasProgram(): boolean {
		return this.#streams !== null;
	}

	get counters(): TsCounters {
		let dropped = this.#pat.damaged + this.#pmt.damaged;
		for (const { parser, pes } of this.#streams?.values() ?? []) dropped += parser.dropped + pes.dropped;
		return { continuityErrors: this.#continuityErrors, syncLosses: this.#splitter.losses, dropped };
	}

	/** Takes bytes as they come, cut anywhere, and gives the access units that are complete with them. */
	push(chunk: Uint8Array): readonly TsUnit[] {
		this.#units = [];
		this.#splitter.push(chunk, this.#onPacket);
		if (this.#tracks === null) {
			this.#probedBytes += chunk.length;
			this.#settle(this.#probedBytes >= MAX_PROBE_BYTES);
		}
		return this.#units;
	}

	/**
	 * Waits no longer for streams that say nothing of themselves, as soon as there is one that does: gives the access
	 * units that were held for them.
	 */
	decide(): readonly TsUnit[] {
		this.#units = [];
		const isAnyKnown = [...(this.#streams?.values() ?? [])].some(({ parser }) => parser.codec !== null);
		if (isAnyKnown) this.#settle(true);
		return this.#units;
	}

	/** The stream is over: gives the access units whose end nothing else told. */
	end(): readonly TsUnit[] {
		this.#units = [];
		this.#splitter.end(this.#onPacket);
		for (const stream of this.#streams?.values() ?? []) this.#take(stream, stream.pes.end());
		this.#settle(true);
		return this.#units;
	}

	readonly #onPacket = (bytes: Uint8Array, offset: number): void => {
		const packet = parseTsPacket(bytes, offset);
		if (packet === null || packet.pid === NULL_PID) return;
		const { pid, payload, start } = packet;
		const stream = this.#streams?.get(pid);
		if (stream === undefined && pid !== PAT_PID && pid !== this.#pmtPid) return;
		const order = this.#follow(packet);
		if (order === "repeated") return;
		if (stream !== undefined) {
			if (order === "lost") {
				stream.pes.drop();
				stream.parser.reset();
			}
			this.#take(stream, stream.pes.push(payload, start, packet.randomAccess));
		} else if (this.#streams === null) {
			this.#readTable(pid === PAT_PID ? this.#pat : this.#pmt, packet, order === "lost");
		}
	};

	/** Checks the continuity counter, ISO 13818-1 §2.4.3.3. A packet may be sent twice. */
	#follow({ pid, continuity, payload, discontinuity }: TsPacket): "next" | "repeated" | "lost" {
		const last = this.#continuity.get(pid);
		this.#continuity.set(pid, continuity);
		if (last === undefined || discontinuity || payload.length === 0) return "next";
		if (continuity === ((last + 1) & 0x0f)) return "next";
		if (continuity === last) return "repeated";
		this.#continuityErrors++;
		return "lost";
	}

	#readTable(table: SectionAssembler, { payload, start }: TsPacket, lost: boolean): void {
		if (lost) table.reset();
		for (const bytes of table.push(payload, start)) {
			const section = parseSection(bytes);
			if (section === null) continue;
			if (table === this.#pat) {
				this.#pmtPid = firstProgram(section)?.pmtPid ?? this.#pmtPid;
				continue;
			}
			const streams = parseProgramMap(section);
			if (streams !== null) this.#begin(streams);
		}
	}

	#begin(streams: readonly ElementaryStream[]): void {
		this.#streams = new Map();
		for (const stream of streams) {
			const parser = parserOf(stream, () => this.#now);
			if (parser === null) continue;
			this.#streams.set(stream.pid, { parser, pes: new PesAssembler(), trackIndex: null, held: [] });
		}
	}

	#take(stream: Elementary, packets: readonly PesPacket[]): void {
		for (const packet of packets) {
			const dts = packet.dts === null ? null : this.#time.unwrap(packet.dts);
			const pts = packet.pts === null ? null : this.#time.unwrap(packet.pts);
			this.#now = dts ?? this.#now;
			const units = stream.parser.push({ ...packet, pts, dts });
			if (this.#tracks === null) stream.held.push(...units);
			else this.#give(stream, units);
		}
		if (packets.length > 0) this.#settle(false);
	}

	#give({ trackIndex }: Elementary, units: readonly ElementaryUnit[]): void {
		if (trackIndex === null) return;
		for (const unit of units) this.#units.push({ trackIndex, ...unit });
	}

	/** Names the tracks when all their codecs are known, or when it is `due`, and gives what was held until then. */
	#settle(due: boolean): void {
		if (this.#tracks !== null) return;
		const streams = [...(this.#streams?.values() ?? [])];
		if (!due && (this.#streams === null || streams.some(({ parser }) => parser.codec === null))) return;
		const tracks: TsTrack[] = [];
		for (const stream of streams) {
			const { parser } = stream;
			// One that is only announced would be a track that nobody ever hears of.
			const codec = parser.codec ?? (stream.held.length > 0 && parser.clockRate > 0 ? parser.codecAtEnd : null);
			const rtp = codec === null ? null : this.#rtpFormat(codec, parser.clockRate, tracks.length);
			if (codec === null || rtp === null) continue;
			stream.trackIndex = tracks.length;
			tracks.push({ kind: parser.kind, codec, clockRate: parser.clockRate, rtp });
		}
		this.#tracks = tracks;
		this.#giveHeld(streams);
	}

	/** In the order of their decoding times, for the streams were held each for itself. */
	#giveHeld(streams: readonly Elementary[]): void {
		const held = streams.flatMap((stream) =>
			stream.held.map((unit) => ({ stream, unit, seconds: unit.dts / stream.parser.clockRate })),
		);
		held.sort((a, b) => a.seconds - b.seconds);
		for (const { stream, unit } of held) this.#give(stream, [unit]);
		for (const stream of streams) stream.held = [];
	}
}
