/** Under which heading of the form a setting stands. */

export const GROUPS = [
	{ id: "source", title: "Source", description: "Where the stream comes from" },
	{ id: "publishing", title: "Publishing", description: "Who may publish, and what happens while nobody does" },
	{ id: "reading", title: "Reading and forwarding", description: "Who gets the stream" },
	{ id: "hls", title: "HLS and recording", description: "What is kept, and for how long" },
	{ id: "onDemand", title: "On demand", description: "Streams that run only while somebody reads" },
	{ id: "webrtc", title: "WebRTC", description: "Sources over WHEP" },
	{ id: "camera", title: "Raspberry Pi camera", description: "For source: rpiCamera" },
	{ id: "hooks", title: "Hooks", description: "Commands that nodes run" },
	{ id: "advanced", title: "Advanced", description: "The rest" },
] as const;

export type GroupId = (typeof GROUPS)[number]["id"];

/** The first that fits a key counts; within a group, keys keep the order of the schema. */
const RULES: readonly (readonly [RegExp, GroupId])[] = [
	[/^(?:runOnDemand|sourceOnDemand|runOnUnDemand)/, "onDemand"],
	[/^runOn/, "hooks"],
	[/^rpiCamera/, "camera"],
	[/^whep/, "webrtc"],
	[/^(?:hls|record)/, "hls"],
	[/^(?:maxReaders|fallback|forward|audioTranscode|srtReadPassphrase|rtspGOPCache)$/, "reading"],
	[
		/^(?:overridePublisher|publisherReconnectWindow|srtPublishPassphrase|rtspDemuxMpegts|alwaysAvailable.*)$/,
		"publishing",
	],
	[/^(?:source|rtspTransport$|rtpSDP$|moqTransport$)/, "source"],
];

/** The group of a setting; what no rule knows is `advanced`. */
export function groupOf(key: string): GroupId {
	return RULES.find(([pattern]) => pattern.test(key))?.[1] ?? "advanced";
}
