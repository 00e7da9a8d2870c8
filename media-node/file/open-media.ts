import { InputError } from "#shared/problem.ts";
import { isMp4 } from "../mp4/reader/mp4-file.ts";
import { isMpegTs } from "../mpegts/packet-splitter.ts";
import { annexBCodecOf, openAnnexBSource } from "./annexb-source.ts";
import type { ByteSource } from "./byte-source.ts";
import type { MediaSource } from "./media-source.ts";
import { openMp4Source } from "./mp4-source.ts";
import { openTsSource } from "./ts-source.ts";

/** As much of the beginning is looked at. */
const HEAD_BYTES = 1024 * 1024;

/**
 * Opens a file of any kind that is played, told by its contents: a name may be wrong.
 *
 * @throws InputError `input.invalid` when it is of no such kind
 * @throws ProtocolError `bytes.malformed`, `bytes.truncated`, `bytes.limit`, `media.unsupported`
 */
export async function openMedia(bytes: ByteSource, file: string): Promise<MediaSource> {
	const head = await bytes.read(0, HEAD_BYTES);
	if (head.length === 0) throw new InputError("input.invalid", `${file} is empty`);
	if (isMp4(head)) return openMp4Source(bytes, file);
	if (isMpegTs(head)) return openTsSource(bytes, file);
	const codec = annexBCodecOf(head);
	if (codec !== null) return openAnnexBSource(bytes, file, codec);
	throw new InputError(
		"input.invalid",
		`${file} is neither MP4 nor MPEG-TS nor an H.264 or H.265 stream: convert it, such as with ffmpeg -c copy`,
	);
}
