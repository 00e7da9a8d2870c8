/**
 * A segment as a file: one line of framing, one line of JSON, the bytes.
 *
 * ```
 * sluice-spool 1 <CRC-32 of all that follows, 8 hex digits> <length of the header, decimal>\n
 * {"startMs":…,"parts":[…]}\n
 * init and media bytes of each part, in order
 * ```
 */

import { crc32 } from "node:zlib";
import * as z from "zod";
import { ProtocolError } from "#shared/problem.ts";
import type { PendingSegment } from "#shared/timeline/pending-segment.ts";
import { renditionSchema } from "#shared/timeline/record.ts";

/** No segment is as large: a minute at 500 Mbit/s is 3.75 GB, and a camera has a hundredth of that. */
export const MAX_SPOOL_FILE_BYTES = 1 << 30;
const MAX_HEADER_BYTES = 64 * 1024;
const FRAMING = /^sluice-spool 1 ([0-9a-f]{8}) ([1-9]\d{0,5})\n/;
const MAX_FRAMING_BYTES = 32;

const size = z.int().min(0).max(MAX_SPOOL_FILE_BYTES);
const headerSchema = z.object({
	startMs: z.number().nonnegative(),
	discontinuity: z.boolean(),
	parts: z
		.array(
			z.object({
				rendition: renditionSchema.omit({ bandwidth: true, averageBandwidth: true }),
				initHash: z.string().regex(/^[0-9a-f]{1,64}$/),
				duration: z.number().nonnegative(),
				initBytes: size,
				mediaBytes: size,
			}),
		)
		.min(1)
		.max(32),
});
type Header = z.infer<typeof headerSchema>;

/** The chunks of a segment's file. Media bytes are not copied. */
export function encodeSpoolFile({ startMs, discontinuity, parts }: PendingSegment): Uint8Array[] {
	const header: Header = {
		startMs,
		discontinuity,
		parts: parts.map(({ rendition, initHash, duration, init, bytes }) => ({
			rendition,
			initHash,
			duration,
			initBytes: init.length,
			mediaBytes: bytes.length,
		})),
	};
	const encoder = new TextEncoder();
	const headerBytes = encoder.encode(`${JSON.stringify(header)}\n`);
	const chunks = [headerBytes, ...parts.flatMap(({ init, bytes }) => [init, bytes])];
	let checksum = 0;
	for (const chunk of chunks) checksum = crc32(chunk, checksum);
	const framing = `sluice-spool 1 ${checksum.toString(16).padStart(8, "0")} ${headerBytes.length}\n`;
	return [encoder.encode(framing), ...chunks];
}

/**
 * Reads a segment's file. The result's bytes are views of `file`.
 * @throws ProtocolError `bytes.malformed` when the file is damaged or cut short
 */
export function decodeSpoolFile(file: Uint8Array): PendingSegment {
	const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	const framing = FRAMING.exec(String.fromCharCode(...file.subarray(0, MAX_FRAMING_BYTES)));
	if (framing === null) throw damaged("does not begin as one");
	const begin = framing[0].length;
	if (crc32(file.subarray(begin)) !== Number.parseInt(framing[1] as string, 16)) throw damaged("fails its checksum");
	const headerLength = Number(framing[2]);
	if (headerLength > MAX_HEADER_BYTES) throw damaged(`has a header of ${headerLength} bytes`);

	let position = begin + headerLength;
	const take = (length: number): Uint8Array => {
		if (position + length > file.length) throw damaged("is cut short");
		position += length;
		return file.subarray(position - length, position);
	};
	let json: unknown;
	try {
		json = JSON.parse(decoder.decode(file.subarray(begin, position)));
	} catch (cause) {
		throw damaged("has a header that is not JSON", cause);
	}
	const header = headerSchema.safeParse(json);
	if (!header.success) throw damaged("has an invalid header", header.error);
	const { startMs, discontinuity } = header.data;
	const parts = header.data.parts.map(({ rendition, initHash, duration, initBytes, mediaBytes }) => ({
		rendition,
		initHash,
		duration,
		init: take(initBytes),
		bytes: take(mediaBytes),
	}));
	if (position !== file.length) throw damaged(`has ${file.length - position} bytes too many`);
	return { startMs, discontinuity, parts };
}

function damaged(fault: string, cause?: unknown): ProtocolError {
	return new ProtocolError("bytes.malformed", `The file of a spooled segment ${fault}`, { cause });
}
