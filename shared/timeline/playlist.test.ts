import { describe, expect, test } from "vitest";
import { AUDIO, commitContext, segmentEvent, VIDEO } from "../../test/support/timeline-builders.ts";
import { renderMedia, renderMultivariant } from "./playlist.ts";
import type { TimelineRecord } from "./record.ts";
import { nextRecord, type TimelineEvent } from "./window.ts";

function timeline(events: readonly TimelineEvent[], segmentCount = 3): TimelineRecord {
	let record = nextRecord(null, { kind: "fence" }, commitContext());
	for (const event of events) record = nextRecord(record, event, commitContext({ segmentCount }));
	return record;
}

const uriOf = (file: string) => `m/${file}`;
const urlOf = (id: string) => `${id}.m3u8`;
const both = [{}, { rendition: AUDIO, bytes: 32_000 }];
const media = (record: TimelineRecord, id = "v0") => renderMedia(record, id, { uriOf });

describe("a media playlist", () => {
	test("lists the window of a live stream", () => {
		const record = timeline([segmentEvent(0), segmentEvent(1, { parts: [{ duration: 2.0416667 }] })]);
		expect(media(record)).toBe(
			[
				"#EXTM3U",
				"#EXT-X-VERSION:7",
				"#EXT-X-TARGETDURATION:2",
				"#EXT-X-MEDIA-SEQUENCE:0",
				"#EXT-X-DISCONTINUITY-SEQUENCE:0",
				"#EXT-X-INDEPENDENT-SEGMENTS",
				'#EXT-X-MAP:URI="m/init-000000000001-000000000000-v0.mp4"',
				"#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z",
				"#EXTINF:2.000000,",
				"m/000000000001-000000000000-v0.m4s",
				"#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z",
				"#EXTINF:2.041667,",
				"m/000000000001-000000000001-v0.m4s",
				"",
			].join("\n"),
		);
	});

	test("says a discontinuity, and the init segment again only where it is another one", () => {
		const record = timeline([
			segmentEvent(0),
			segmentEvent(1, { discontinuity: true }),
			segmentEvent(2, { discontinuity: true, parts: [{ init: "init-new.mp4" }] }),
		]);
		const lines = media(record)
			?.split("\n")
			.filter((line) => /MAP|DISCONTINUITY$|m4s/.test(line));
		expect(lines).toEqual([
			'#EXT-X-MAP:URI="m/init-000000000001-000000000000-v0.mp4"',
			"m/000000000001-000000000000-v0.m4s",
			"#EXT-X-DISCONTINUITY",
			"m/000000000001-000000000001-v0.m4s",
			"#EXT-X-DISCONTINUITY",
			'#EXT-X-MAP:URI="m/init-new.mp4"',
			"m/000000000001-000000000002-v0.m4s",
		]);
	});

	test("ends when the newest record is an end, and goes on when another follows", () => {
		const ended = timeline([segmentEvent(0), { kind: "end" }]);
		expect(media(ended)).toMatch(/\n#EXT-X-ENDLIST\n$/);
		expect(media(nextRecord(ended, segmentEvent(1), commitContext()))).not.toContain("ENDLIST");
	});

	test("is none for a rendition that no segment has", () => {
		expect(media(timeline([segmentEvent(0)]), "a0")).toBeNull();
		expect(media(timeline([]), "v0")).toBeNull();
		expect(media(timeline([segmentEvent(0)]), "toString")).toBeNull();
	});

	test("begins where a rendition that came later begins, with the numbers of its segments", () => {
		const record = timeline([
			segmentEvent(0),
			segmentEvent(1, { discontinuity: true }),
			segmentEvent(2, { discontinuity: true, parts: both }),
		]);
		const text = media(record, "a0");
		expect(text).toContain("#EXT-X-MEDIA-SEQUENCE:2\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n");
		expect(text?.match(/#EXTINF/g)).toHaveLength(1);
		expect(text).toContain("#EXT-X-DISCONTINUITY\n");
	});

	test("has a gap of the same time where a rendition is missing, so that all stay aligned", () => {
		const record = timeline(
			[
				segmentEvent(0, { parts: both }),
				segmentEvent(1, { parts: [{ duration: 1.5 }] }),
				segmentEvent(2, { discontinuity: true, parts: both }),
				segmentEvent(3),
			],
			10,
		);
		const video = aligned(media(record, "v0"));
		const audio = aligned(media(record, "a0"));
		expect(audio.map((segment) => segment.isGap)).toEqual([false, true, false, true]);
		expect(audio.map(({ sequence, discontinuity, date }) => [sequence, discontinuity, date])).toEqual(
			video.map(({ sequence, discontinuity, date }) => [sequence, discontinuity, date]),
		);
		expect(audio[1]?.duration).toBe(1.5);
	});

	test("gives a sequence number the same discontinuity sequence for ever, in all renditions", () => {
		const events = Array.from({ length: 40 }, (_, i) =>
			segmentEvent(i, { discontinuity: i % 3 === 0, parts: i % 7 < 4 ? both : [{}] }),
		);
		const known = new Map<number, number>();
		for (let length = 1; length <= events.length; length++) {
			const record = timeline(events.slice(0, length), 5);
			for (const { sequence, discontinuity } of [...aligned(media(record)), ...aligned(media(record, "a0"))]) {
				expect(known.get(sequence) ?? discontinuity).toBe(discontinuity);
				known.set(sequence, discontinuity);
			}
		}
		expect(known.size).toBe(40);
	});
});

/** Reads a playlist back: each segment with its number and its discontinuity sequence number (RFC 8216 §6.2.1). */
function aligned(text: string | null) {
	const number = (tag: string) => Number(new RegExp(`#EXT-X-${tag}:(\\d+)`).exec(text ?? "")?.[1]);
	let sequence = number("MEDIA-SEQUENCE");
	let discontinuity = number("DISCONTINUITY-SEQUENCE");
	let [isGap, duration, date] = [false, 0, ""];
	const segments = [];
	for (const line of (text ?? "").split("\n")) {
		if (line === "#EXT-X-DISCONTINUITY") discontinuity++;
		if (line === "#EXT-X-GAP") isGap = true;
		if (line.startsWith("#EXT-X-PROGRAM")) date = line;
		if (line.startsWith("#EXTINF:")) duration = Number.parseFloat(line.slice(8));
		if (line === "" || line.startsWith("#")) continue;
		segments.push({ sequence: sequence++, discontinuity, isGap, duration, date });
		isGap = false;
	}
	return segments;
}

describe("a multivariant playlist", () => {
	test("has each video with its group of audio", () => {
		expect(renderMultivariant(timeline([segmentEvent(0, { parts: both })]), { urlOf })).toBe(
			[
				"#EXTM3U",
				"#EXT-X-VERSION:7",
				"#EXT-X-INDEPENDENT-SEGMENTS",
				'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-mp4a",NAME="a0",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a0.m3u8"',
				'#EXT-X-STREAM-INF:BANDWIDTH=1128000,AVERAGE-BANDWIDTH=1128000,CODECS="avc1.64001f,mp4a.40.2",' +
					'RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="audio-mp4a"',
				"v0.m3u8",
				"",
			].join("\n"),
		);
	});

	test("counts the largest audio of a group, and names a codec once", () => {
		const record = timeline([
			segmentEvent(0, {
				parts: [{}, { rendition: AUDIO, bytes: 8_000 }, { rendition: { ...AUDIO, id: "a1" }, bytes: 16_000 }],
			}),
		]);
		const text = renderMultivariant(record, { urlOf });
		expect(text).toContain('BANDWIDTH=1064000,AVERAGE-BANDWIDTH=1064000,CODECS="avc1.64001f,mp4a.40.2"');
		expect(text).toContain('NAME="a1",DEFAULT=NO');
	});

	test("keeps audio of different codecs in different groups", () => {
		const opus = { ...AUDIO, id: "a1", codecs: "opus" };
		const record = timeline([segmentEvent(0, { parts: [{}, { rendition: AUDIO }, { rendition: opus }] })]);
		const text = renderMultivariant(record, { urlOf });
		expect(text.match(/#EXT-X-STREAM-INF/g)).toHaveLength(2);
		expect(text).toContain('CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="audio-mp4a"');
		expect(text).toContain('CODECS="avc1.64001f,opus",RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="audio-opus"');
	});

	test("has plain variants for video without audio and for audio without video", () => {
		const { frameRate: _, ...still } = VIDEO;
		expect(renderMultivariant(timeline([segmentEvent(0, { parts: [{ rendition: still }] })]), { urlOf })).toContain(
			'#EXT-X-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=1000000,CODECS="avc1.64001f",RESOLUTION=1280x720\nv0.m3u8\n',
		);
		expect(
			renderMultivariant(timeline([segmentEvent(0, { parts: [{ rendition: AUDIO, bytes: 16_000 }] })]), { urlOf }),
		).toContain('#EXT-X-STREAM-INF:BANDWIDTH=64000,AVERAGE-BANDWIDTH=64000,CODECS="mp4a.40.2"\na0.m3u8\n');
	});
});

describe("delta updates of a live window", () => {
	const long = (count: number) =>
		timeline(
			Array.from({ length: count }, (_, i) => segmentEvent(i)),
			100,
		);

	test("are offered by a window of twelve target durations, and leave out what is older than six", () => {
		expect(media(long(11))).not.toContain("SKIP");
		const record = long(12);
		expect(media(record)).toContain(
			"#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12.0\n",
		);
		const delta = renderMedia(record, "v0", { uriOf, isDelta: true });
		expect(delta).toContain("#EXT-X-MEDIA-SEQUENCE:0\n");
		expect(delta).toContain("#EXT-X-SKIP:SKIPPED-SEGMENTS=6\n");
		expect(delta?.match(/#EXTINF/g)).toHaveLength(6);
		expect(delta).not.toContain("EXT-X-MAP");
	});

	test("are whole playlists where too little could be left out, and at the end", () => {
		const short = long(5);
		expect(renderMedia(short, "v0", { uriOf, isDelta: true })).toBe(media(short));
		const over = nextRecord(long(20), { kind: "end" }, commitContext({ segmentCount: 100 }));
		expect(renderMedia(over, "v0", { uriOf, isDelta: true })).toBe(media(over));
		expect(media(over)).not.toContain("SKIP");
	});

	test("say what changes with the first segment that they list", () => {
		const events = Array.from({ length: 20 }, (_, i) =>
			segmentEvent(i, i < 14 ? {} : { parts: [{ init: "init-000000000001-000000000014-v0.mp4" }] }),
		);
		const delta = renderMedia(timeline(events, 100), "v0", { uriOf, isDelta: true });
		expect(delta).toContain(
			'#EXT-X-SKIP:SKIPPED-SEGMENTS=14\n#EXT-X-MAP:URI="m/init-000000000001-000000000014-v0.mp4"\n',
		);
	});
});
