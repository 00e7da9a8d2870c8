/** Names of settings as words. */

/** Written in capitals, or as their own spelling has it. */
const SPELLINGS: Readonly<Record<string, string>> = Object.fromEntries(
	[
		...["AWB", "EV", "FPS", "GOP", "HDR", "HLS", "IDR", "ID", "MPEG-TS", "ROI", "RTP", "RTSP", "SDP", "SHA", "SRT"],
		...["STUN", "UDP", "URL", "WHEP", "WHIP", "H264", "H265", "MJPEG", "MoQ", "mu-law"],
	].map((spelling) => [spelling.toLowerCase(), spelling]),
);

/** Words that the key runs together, or shortens. */
const WORDS: Readonly<Record<string, string>> = {
	af: "autofocus",
	cam: "camera",
	dest: "destination",
	demuxmpegts: "demux MPEG-TS",
	hflip: "horizontal flip",
	mpegts: "MPEG-TS",
	vflip: "vertical flip",
	rpi: "",
};

/** `hlsSegmentDuration` as `HLS segment duration`. */
export function labelOf(key: string): string {
	const words = key
		.replace(/([a-z0-9])([A-Z])/g, "$1 $2")
		.replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
		.replace(/^rpi Camera(?= )/, "camera")
		.replaceAll(/\b([HV]) Flip\b/g, "$1Flip")
		.replaceAll(/\bmu Law\b/g, "mu-law")
		.replaceAll(/\bMo Q\b/g, "MoQ")
		.replaceAll(/\bUn Demand\b/g, "no demand")
		.split(" ")
		.map((word) => WORDS[word.toLowerCase()] ?? SPELLINGS[word.toLowerCase()] ?? word.toLowerCase())
		.filter((word) => word !== "")
		.join(" ");
	const first = words.split(" ", 1)[0] ?? "";
	const isSpelled = SPELLINGS[first.toLowerCase()] === first && first !== "mu-law";
	return isSpelled ? words : words.charAt(0).toUpperCase() + words.slice(1);
}
