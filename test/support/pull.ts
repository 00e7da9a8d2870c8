import { pino } from "pino";
import { DEFAULT_PATH_CONFIG, type PathConfig } from "#shared/config/path-config.ts";
import { parsePathName } from "#shared/path-name.ts";
import type { Logger } from "../../media-node/log.ts";
import { rtspSource } from "../../media-node/rtsp/rtsp-source.ts";
import type { Publication, PublishRequest } from "../../media-node/stream/publication.ts";
import type { Track } from "../../media-node/stream/track.ts";
import { FakeClock } from "./fake-clock.ts";

export type Pull = AsyncDisposable & {
	readonly clock: FakeClock;
	/** Resolves with why the run ended. */
	readonly ended: Promise<unknown>;
	/** `null` before it publishes. */
	readonly tracks: readonly Omit<Track, "index">[] | null;
	readonly remoteAddress: string;
	readonly published: number;
	readonly packets: readonly { readonly track: number; readonly bytes: Uint8Array }[];
	readonly reports: readonly { readonly track: number; readonly rtpTime: number }[];
	readonly flushes: number;
	/** Ends it as an operator does, and gives why it ended. */
	stop(): Promise<unknown>;
};

/** Runs the RTSP source against `source`, and keeps what it publishes. */
export function pullFrom(source: string, config: Partial<PathConfig> = {}, log?: Logger): Pull {
	const stop = new AbortController();
	const clock = new FakeClock();
	const packets: { track: number; bytes: Uint8Array }[] = [];
	const reports: { track: number; rtpTime: number }[] = [];
	let tracks: PublishRequest["tracks"] | null = null;
	let remoteAddress = "";
	let published = 0;
	let flushes = 0;
	const publication = (): Publication => ({
		tracks: (tracks ?? []).map((track, index) => ({ ...track, index })),
		writePacket: (track, bytes, offset, length) =>
			void packets.push({ track, bytes: Uint8Array.from(bytes.subarray(offset, offset + length)) }),
		flush: () => void flushes++,
		writeSenderReport: (track, { rtpTime }) => void reports.push({ track, rtpTime }),
		writeUnit: () => {},
		close: () => {},
	});
	const run = rtspSource().run(
		{
			path: parsePathName("cam01"),
			source,
			config: { ...DEFAULT_PATH_CONFIG, rtspTransport: "tcp", ...config },
			clock,
			log: log ?? pino({ level: "silent" }),
			readTimeoutMs: 10_000,
			writeTimeoutMs: 10_000,
			publish: async (theirs, address) => {
				tracks = theirs;
				remoteAddress = address;
				published++;
				return publication();
			},
		},
		stop.signal,
	);
	const ended = run.then(
		() => "returned",
		(error: unknown) => error,
	);
	const end = () => {
		stop.abort();
		return ended;
	};
	return {
		clock,
		ended,
		get tracks() {
			return tracks;
		},
		get remoteAddress() {
			return remoteAddress;
		},
		get published() {
			return published;
		},
		packets,
		reports,
		get flushes() {
			return flushes;
		},
		stop: end,
		async [Symbol.asyncDispose]() {
			await end();
		},
	};
}
