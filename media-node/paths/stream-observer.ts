import type { SluiceError } from "#shared/problem.ts";
import type { PublisherInfo, ReaderInfo } from "../stream/publication.ts";
import type { Stream } from "../stream/stream.ts";

/** Is told how the streams of a node fare. All calls are synchronous; one that throws is logged. */
export interface StreamObserver {
	/** The first publisher is there, and has sent nothing yet: the moment to attach a packager. */
	streamBegan(stream: Stream, publisher: PublisherInfo): void;
	/** The stream waits for another publisher. `reason` is why this one left, if it left in other than good order. */
	publisherLeft(stream: Stream, publisher: PublisherInfo, reason: SluiceError | null): void;
	/** The next publisher continues the stream. */
	publisherReturned(stream: Stream, publisher: PublisherInfo): void;
	/** All readers were ended. Called once for each stream that began. */
	streamEnded(stream: Stream, reason: SluiceError): void;
	/** A client reads packets, or reads no more. */
	readerJoined(stream: Stream, reader: ReaderInfo): void;
	readerLeft(stream: Stream, reader: ReaderInfo): void;
	/** `stream.config` is another one than before. */
	configChanged(stream: Stream): void;
}
