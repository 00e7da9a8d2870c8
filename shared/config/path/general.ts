import * as z from "zod";
import { durationBetween, fingerprint, text } from "../scalar.ts";
import { sourceFault } from "../source.ts";

const sourceText = text.superRefine((source, context) => {
	const fault = sourceFault(source);
	if (fault !== null) context.addIssue({ code: "custom", message: fault });
});

const track = z
	.strictObject({
		codec: z.enum(["AV1", "VP9", "H265", "H264", "Opus", "MPEG4Audio", "G711", "LPCM"]),
		sampleRate: z.int().min(0).max(384_000).default(0),
		channelCount: z.int().min(0).max(8).default(0),
		muLaw: z.boolean().default(false),
	})
	.superRefine(({ codec, sampleRate, channelCount }, context) => {
		const needs = codec === "MPEG4Audio" || codec === "G711" || codec === "LPCM";
		const least = codec === "MPEG4Audio" ? 22_050 : 8_000;
		const issue = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
		if (needs && sampleRate < least) issue("sampleRate", `must be ${least} or more for ${codec}`);
		if (needs && channelCount === 0) issue("channelCount", `is needed for ${codec}`);
		if (!needs && sampleRate !== 0) issue("sampleRate", `must be left out for ${codec}`);
		if (!needs && channelCount !== 0) issue("channelCount", `must be left out for ${codec}`);
	});

/** What every path has, whatever its source is. */
export const generalShape = {
	source: z
		.union([sourceText, z.array(sourceText).min(1).max(16)])
		.default("publisher")
		.describe(
			"Where the stream comes from: publisher (a client), redirect, file, or a URL to pull from, such as rtsp://user:pass@host:port/path. " +
				"A list is tried from its start; a better one is taken back when it returns. $MTX_QUERY and $G1, $G2, … stand for the first reader's query and the groups of the path's expression",
		),
	sourceFingerprint: fingerprint
		.default("")
		.describe("SHA-256 of the source's certificate, when nobody else vouches for it"),
	sourceOnDemand: z.boolean().default(false).describe("Pull the source only while somebody reads"),
	sourceOnDemandStartTimeout: durationBetween("100ms", "10m")
		.default("10s")
		.describe("How long readers wait for a source that is pulled on demand"),
	sourceOnDemandCloseAfter: durationBetween("0s", "1d")
		.default("10s")
		.describe("How long a source on demand stays after its last reader"),
	sourceRedirect: text.default("").describe("Where readers are sent: /another/path, or an rtsp:// URL"),
	fallback: text
		.default("")
		.describe("Where readers are sent while there is no stream: /another/path, or an rtsp:// URL"),
	sourceFile: text
		.default("")
		.describe(
			"The file of source: file, played in a loop as a camera: MP4, MPEG-TS, or an H.264 or H.265 elementary stream",
		),
	maxReaders: z
		.int()
		.min(0)
		.max(1_000_000)
		.default(0)
		.describe("How many clients may read from the node at once; 0: no limit"),
	useAbsoluteTimestamp: z
		.boolean()
		.default(false)
		.describe("Keep the wall-clock times of the source's sender reports, instead of the time of arrival"),
	overridePublisher: z
		.boolean()
		.default(true)
		.describe(
			"A new publisher takes the place of the one that is there, on this node or another; otherwise it is refused",
		),
	publisherReconnectWindow: durationBetween("0s", "1h")
		.default("30s")
		.describe("How long a stream waits for a publisher that went away; readers and playlists stay meanwhile"),
	audioTranscode: z
		.boolean()
		.default(true)
		.describe(
			"Make sound into another codec for readers that cannot take it as it is: Opus for WebRTC, AAC for HLS. Needs ffmpeg, " +
				"which runs only while somebody needs it",
		),
	alwaysAvailable: z
		.boolean()
		.default(false)
		.describe("Play an offline clip in a loop while there is no publisher; readers stay connected"),
	alwaysAvailableTracks: z.array(track).max(16).default([]).describe("Tracks of the built-in offline clip"),
	alwaysAvailableFile: text.default("").describe("An MP4 file to play instead of the built-in offline clip"),
} as const;

const forwardDestination = z.strictObject({
	dest: text.refine((dest) => /^(?:rtmps?|rtsps?|srt|whips?):\/\/[^/]/.test(dest), {
		message: "must be a rtsp(s)://, rtmp(s)://, srt:// or whip(s):// URL",
	}),
	destFingerprint: fingerprint.default(""),
	whipBearerToken: text.default(""),
});

export const forwardShape = {
	forward: z
		.array(forwardDestination)
		.max(64)
		.default([])
		.describe(
			"Servers to which the stream is sent on while it is there: dest is an rtsp(s):// or whip(s):// URL, in which $MTX_PATH and $G1, $G2, … stand for the path and the groups of its expression",
		),
} as const;

const passphrase = text.refine((value) => value === "" || (value.length >= 10 && value.length <= 79), {
	message: "must have 10 to 79 characters",
});

export const srtShape = {
	srtReadPassphrase: passphrase.default("").describe("Passphrase that SRT readers must know"),
	srtPublishPassphrase: passphrase.default("").describe("Passphrase that SRT publishers must know"),
} as const;
