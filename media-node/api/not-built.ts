/** Endpoints of MediaMTX for parts that this version does not have. */
export const NOT_BUILT_ROUTES: readonly { readonly prefix: string; readonly what: string }[] = [
	{ prefix: "/hlsmuxers/", what: "HLS muxers: HLS is packaged into the bucket" },
	{ prefix: "/hlssessions/", what: "HLS sessions: HLS is packaged into the bucket" },
	{ prefix: "/rtmpconns/", what: "RTMP server" },
	{ prefix: "/rtmpsconns/", what: "RTMPS server" },
	{ prefix: "/srtconns/", what: "SRT server" },
	{ prefix: "/moqsessions/", what: "MoQ server" },
	{ prefix: "/recordings/", what: "recordings" },
];
