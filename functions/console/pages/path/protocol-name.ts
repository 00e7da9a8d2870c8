const NAMES: Readonly<Record<string, string>> = {
	hls: "HLS",
	rtmp: "RTMP",
	rtmps: "RTMPS",
	rtsp: "RTSP",
	rtsps: "RTSPS",
	rtp: "RTP",
	srt: "SRT",
	webrtc: "WebRTC",
	whep: "WHEP",
	whip: "WHIP",
};

/** A protocol as people write it; one that is not known stays as it is. */
export function protocolName(protocol: string): string {
	return NAMES[protocol] ?? protocol;
}
