import type { PathName } from "#shared/path-name.ts";
import { GoneError } from "#shared/problem.ts";
import type { TalkSeat } from "./back-channel.ts";
import type { GopCache } from "./gop-cache.ts";
import type { Numbering, ReadableStreamOfPath, ReaderInfo, Rendition } from "./publication.ts";
import type { PacketSink, UnitSink } from "./sink.ts";
import type { Track } from "./track.ts";

/** A stream for one reader. Small: there are thousands. */
export class ReadingView implements ReadableStreamOfPath {
	readonly #stream: ReadableStreamOfPath;
	readonly #gopCache: GopCache;
	readonly numbering: Numbering;
	/** Who reads gets what comes; who will, what is in the cache. */
	#seats = 0;

	constructor(stream: ReadableStreamOfPath, gopCache: GopCache) {
		this.#stream = stream;
		this.#gopCache = gopCache;
		this.numbering = stream.numbering;
	}

	get path(): PathName {
		return this.#stream.path;
	}

	get tracks(): readonly Track[] {
		return this.#stream.tracks;
	}

	get backChannel(): TalkSeat | null {
		return this.#stream.backChannel;
	}

	get renditions(): readonly Rendition[] {
		return this.#stream.renditions;
	}

	ssrcOf(track: number): number {
		return this.#stream.ssrcOf(track);
	}

	askKeyFrame(track: number): void {
		this.#stream.askKeyFrame(track);
	}

	position(track: number): { readonly sequence: number; readonly rtpTime: number; readonly ssrc: number } | null {
		return (this.#seats === 0 ? this.#gopCache.position(track) : null) ?? this.#stream.position(track);
	}

	readPackets(sink: PacketSink, reader?: ReaderInfo): Disposable {
		if (this.#stream.numbering !== this.numbering) throw otherTracks(this.path);
		const seat = this.#stream.readPackets(sink, reader);
		this.#seats++;
		let isTaken = true;
		return {
			[Symbol.dispose]: () => {
				if (!isTaken) return;
				isTaken = false;
				this.#seats--;
				seat[Symbol.dispose]();
			},
		};
	}

	readUnits(sink: UnitSink): Disposable {
		return this.#stream.readUnits(sink);
	}
}

/** What readers are told whose tracks are gone. */
export function otherTracks(path: PathName): GoneError {
	return new GoneError("stream.ended", `The publisher of ${path} came back with other tracks; read again`);
}
