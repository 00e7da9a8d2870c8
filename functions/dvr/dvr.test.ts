import { describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { indexKey, indexPrefix } from "#shared/store/key.ts";
import { readNewest } from "#shared/timeline/reader.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";
import { functionsForTest } from "../../test/support/functions.ts";
import { uploadedSegment, VIDEO } from "../../test/support/timeline-builders.ts";
import { Dvr } from "./dvr.ts";
import { parseRange } from "./range-query.ts";

const CAM = parsePathName("cam");
const { signal } = new AbortController();
const BASE_MS = Date.UTC(2026, 0, 1);

async function world({ retentionMs = null as number | null } = {}) {
	const test = await functionsForTest();
	const { store, clock, app } = test;
	let serial = 0;
	const publish = () =>
		TimelineWriter.open(
			{
				store,
				clock,
				path: CAM,
				owner: "node",
				takeover: "override",
				leaseMs: 10_000,
				segmentCount: 4,
				minimumTargetDuration: 2,
				retentionMs: () => retentionMs,
			},
			signal,
		);
	const commit = async (writer: TimelineWriter, count: number, more: Parameters<typeof uploadedSegment>[1] = {}) => {
		for (let i = 0; i < count; i++) {
			await writer.renew(signal);
			await writer.commitSegment(uploadedSegment(serial++, { startMs: clock.now(), ...more }), signal);
			await clock.advance(2000);
		}
	};
	const token = await test.tokenFor("read", "cam", { lifeMs: 100 * 86_400_000 });
	const get = (file: string) => app.fetch(new Request(`http://functions.test/${token}/cam/${file}`));
	const text = async (file: string) => {
		const response = await get(file);
		const body = await response.text();
		expect(response.status, body).toBe(200);
		return body;
	};
	const problem = async (file: string) => {
		const response = await get(file);
		return [response.status, ((await response.json()) as { code: string }).code];
	};
	const at = (seconds: number) => String((BASE_MS + seconds * 1000) / 1000);
	const recordings = async () => {
		const admin = await test.tokenFor("view", "cam");
		const request = new Request("http://functions.test/v1/streams/cam/recordings", {
			headers: { authorization: `Bearer ${admin}` },
		});
		return (await (await app.fetch(request)).json()) as { items: { start: string; end: string }[]; retention: number };
	};
	const reads: string[] = [];
	const inner = store.get.bind(store);
	store.get = (key, ...rest) => {
		reads.push(key);
		return inner(key, ...rest);
	};
	return { ...test, publish, commit, get, text, problem, at, reads, recordings };
}

const facts = (text: string) => ({
	first: Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]),
	discontinuity: Number(/#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)/.exec(text)?.[1]),
	type: /#EXT-X-PLAYLIST-TYPE:(\w+)/.exec(text)?.[1] ?? null,
	ended: text.includes("#EXT-X-ENDLIST"),
	files: text
		.split("\n")
		.filter((line) => line !== "" && !line.startsWith("#"))
		.map((file) => Number(file.split("-")[1])),
});
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe("a range in the past", () => {
	it("is a VOD playlist of the segments that it touches", async () => {
		const { publish, commit, text, at } = await world();
		await commit(await publish(), 40);
		const query = `start=${at(11)}&end=${at(20)}`;
		expect(facts(await text(`v0.m3u8?${query}`))).toEqual({
			first: 5,
			discontinuity: 0,
			type: "VOD",
			ended: true,
			files: numbers(5, 10),
		});
		expect(await text(`index.m3u8?${query}`)).toContain(`\nv0.m3u8?${query}\n`);
		expect(await text(`index.m3u8?start=-60&end=-40`)).toContain(`\nv0.m3u8?start=${at(20)}&end=${at(40)}\n`);
	});

	it("counts discontinuities, and shows init segments and renditions as they change", async () => {
		const { publish, commit, text, at } = await world();
		const writer = await publish();
		await commit(writer, 5);
		await commit(writer, 1, { discontinuity: true });
		await commit(writer, 5);
		const parts = [{ rendition: VIDEO, init: "init-new.mp4" }];
		await commit(writer, 3, { parts });
		await commit(writer, 1, { discontinuity: true, parts });
		await commit(writer, 10, { parts });
		const playlist = await text(`v0.m3u8?start=${at(14)}&end=${at(34)}`);
		expect(facts(playlist)).toMatchObject({ first: 7, discontinuity: 1, files: numbers(7, 17) });
		expect(playlist.match(/#EXT-X-MAP:URI="[^"]+"|#EXT-X-DISCONTINUITY(?=\n)/g)).toEqual([
			'#EXT-X-MAP:URI="init-000000000001-000000000000-v0.mp4"',
			'#EXT-X-MAP:URI="init-new.mp4"',
			"#EXT-X-DISCONTINUITY",
		]);
		expect(playlist).toContain("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:14.000Z");
		expect(await text(`v0.m3u8?start=${at(0)}&end=${at(2)}`)).toContain("#EXT-X-DISCONTINUITY-SEQUENCE:0\n");
	});

	it("goes over hours and days, each hour read once for all viewers", async () => {
		const { publish, commit, text, at, reads } = await world();
		const writer = await publish();
		await commit(writer, 3 * 1800 + 50);
		const query = `start=${at(3000)}&end=${at(3 * 3600 + 40)}`;
		reads.length = 0;
		const first = await text(`v0.m3u8?${query}`);
		expect(facts(first).files).toEqual(numbers(1500, 5420));
		expect(reads.filter((key) => key.startsWith(indexPrefix(CAM)))).toHaveLength(4);
		reads.length = 0;
		for (let i = 0; i < 20; i++) expect(await text(`v0.m3u8?${query}`)).toBe(first);
		await text(`v0.m3u8?start=${at(3600)}&end=${at(7200)}`);
		expect(reads).toEqual([]);
	}, 60_000);

	it("looks for its segments once for all who ask the same at a time, and keeps nothing of other hours with an hour", async () => {
		const { publish, commit, at, deps, clock } = await world();
		await commit(await publish(), 1800 + 50);
		const record = await readNewest(deps.store, CAM);
		if (record === null) throw new Error("Nothing was committed");
		const dvr = new Dvr(deps);
		const looked: unknown[] = [];
		const hour = dvr.timelines.hour.bind(dvr.timelines);
		dvr.timelines.hour = async (...args) => {
			const found = await hour(...args);
			looked.push(found?.before, found?.stretches);
			return found;
		};
		const query = parseRange(new URLSearchParams({ start: at(3000) }));
		if (query === null) throw new Error("It asks for no range");
		const ask = () => dvr.media({ path: CAM, record, query, rendition: "v0", isDelta: false, uriOf: null });
		const first = await ask();
		for (let i = 0; i < 20; i++) expect(await ask()).toEqual(first);
		expect(looked).toEqual([[], []]);
		await clock.advance(500);
		await ask();
		expect(looked).toHaveLength(4);
	}, 60_000);

	it("costs a look in two seconds, and not one for each viewer, while the index is damaged", async () => {
		const { publish, commit, problem, at, reads, store, clock } = await world();
		await commit(await publish(), 10);
		await store.put(indexKey(CAM, "2026-01-01T00"), "{");
		reads.length = 0;
		const indexReads = () => reads.filter((key) => key.startsWith(indexPrefix(CAM))).length;
		for (let i = 0; i < 20; i++) expect(await problem(`v0.m3u8?start=${at(0)}`)).toEqual([500, "timeline.corrupt"]);
		expect(indexReads()).toBe(1);
		await clock.advance(2000);
		await problem(`v0.m3u8?start=${at(0)}`);
		expect(indexReads()).toBe(2);
	});

	it("is answered again when the writer has made a damaged newest hour again", async () => {
		const { publish, commit, problem, text, at, store } = await world();
		const writer = await publish();
		await commit(writer, 1800 + 10);
		await store.put(indexKey(CAM, "2026-01-01T01"), "{");
		expect(await problem(`v0.m3u8?start=${at(3000)}`)).toEqual([500, "timeline.corrupt"]);
		await commit(writer, 60);
		expect(facts(await text(`v0.m3u8?start=${at(3000)}`)).files).toEqual(numbers(1500, 1870));
	}, 60_000);

	it("takes a damaged hour that is over for a gap, and looks at it once in two seconds", async () => {
		const { publish, commit, problem, text, at, store, reads, clock } = await world();
		await commit(await publish(), 3 * 1800 + 10);
		const damagedKey = indexKey(CAM, "2026-01-01T01");
		await store.put(damagedKey, "{");
		reads.length = 0;
		// What is behind the gap; what is before it, when the range ends in it; and what does not touch it.
		expect(facts(await text(`v0.m3u8?start=${at(3000)}`))).toMatchObject({ files: numbers(3600, 5410), type: null });
		expect(facts(await text(`v0.m3u8?start=${at(3500)}&end=${at(5000)}`)).files).toEqual(numbers(1750, 1800));
		expect(facts(await text(`v0.m3u8?start=${at(3000)}&end=${at(3600)}`)).files).toEqual(numbers(1500, 1800));
		expect(facts(await text(`v0.m3u8?start=${at(7300)}&end=${at(7400)}`)).files).toEqual(numbers(3650, 3700));
		expect(await problem(`v0.m3u8?start=${at(4000)}&end=${at(5000)}`)).toEqual([404, "stream.not_found"]);
		expect(await text(`index.m3u8?start=${at(3000)}`)).toContain("\nv0.m3u8?");
		const looks = () => reads.filter((key) => key === damagedKey).length;
		expect(looks()).toBe(1);
		await clock.advance(2000);
		await text(`v0.m3u8?start=${at(3000)}`);
		expect(looks()).toBe(2);
	}, 60_000);

	it("is not final before its end was committed", async () => {
		const { publish, commit, text, at, clock } = await world();
		const writer = await publish();
		await commit(writer, 10);
		const query = `v0.m3u8?start=${at(10)}&end=${at(22)}`;
		expect(facts(await text(query))).toMatchObject({ type: "EVENT", ended: false, files: numbers(5, 10) });
		await clock.advance(3000);
		expect(facts(await text(query))).toMatchObject({ type: "EVENT", ended: false });
		await clock.advance(30_000);
		expect(facts(await text(query))).toMatchObject({ type: "VOD", ended: true, files: numbers(5, 10) });
	});
});

describe("a range that goes on", () => {
	it("grows from an absolute start, without a read of the index as it does", async () => {
		const { publish, commit, text, at, reads } = await world();
		const writer = await publish();
		await commit(writer, 10);
		const query = `v0.m3u8?start=${at(6)}`;
		expect(facts(await text(query))).toEqual({
			first: 3,
			discontinuity: 0,
			type: "EVENT",
			ended: false,
			files: numbers(3, 10),
		});
		reads.length = 0;
		for (let i = 11; i < 60; i++) {
			await commit(writer, 1);
			expect(facts(await text(query))).toMatchObject({ first: 3, files: numbers(3, i) });
		}
		expect(reads.filter((key) => key.startsWith(indexPrefix(CAM)))).toEqual([]);
	});

	it("slides with a relative start, in whole target durations", async () => {
		const { publish, commit, text, clock } = await world();
		const writer = await publish();
		await commit(writer, 30);
		expect(facts(await text("v0.m3u8?start=-20"))).toEqual({
			first: 20,
			discontinuity: 0,
			type: null,
			ended: false,
			files: numbers(20, 30),
		});
		expect(await text("v0.m3u8?start=-19")).toBe(await text("v0.m3u8?start=-20"));
		await commit(writer, 2);
		await clock.advance(1000);
		expect(facts(await text("v0.m3u8?start=-20"))).toMatchObject({ first: 22 });
		expect(await text("index.m3u8?start=-20")).toContain("\nv0.m3u8?start=-20\n");
	});

	it("goes on over a publisher that comes back, with the index of a node that died", async () => {
		const { publish, commit, text, at } = await world();
		await commit(await publish(), 25);
		await commit(await publish(), 5);
		const playlist = await text(`v0.m3u8?start=${at(0)}`);
		expect(facts(playlist)).toMatchObject({ first: 0, files: numbers(0, 30) });
		expect(playlist.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1);
	});

	it("ends with the stream, and goes on with the next one", async () => {
		const { publish, commit, text, at } = await world();
		const writer = await publish();
		await commit(writer, 10);
		await writer.commitEnd(signal);
		await writer.close(signal);
		const query = `v0.m3u8?start=${at(0)}`;
		expect(facts(await text(query))).toMatchObject({ ended: true, type: "EVENT", files: numbers(0, 10) });
		const next = await publish();
		await commit(next, 1);
		expect(facts(await text(query))).toMatchObject({ ended: false, files: numbers(0, 11) });
	});
});

describe("delta updates", () => {
	it("leave out what is older than six target durations, of playlists of twelve", async () => {
		const { publish, commit, text } = await world();
		const writer = await publish();
		await commit(writer, 40);
		const whole = await text("v0.m3u8?start=-40");
		expect(whole).toContain("#EXT-X-VERSION:9\n");
		expect(whole).toContain("#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12.0\n");
		const delta = await text("v0.m3u8?start=-40&_HLS_skip=YES");
		expect(delta).toContain("#EXT-X-SKIP:SKIPPED-SEGMENTS=14\n");
		expect(delta).not.toContain("EXT-X-MAP");
		expect(facts(delta)).toMatchObject({ first: 20, files: numbers(34, 40) });

		const short = await text("v0.m3u8?start=-20&_HLS_skip=YES");
		expect(short).toContain("#EXT-X-VERSION:7\n");
		expect(short).not.toMatch(/SKIP/);
		expect(await text("v0.m3u8?_HLS_skip=YES")).toBe(await text("v0.m3u8"));
	});

	it("are not offered by what has an end", async () => {
		const { publish, commit, text, at } = await world();
		await commit(await publish(), 60);
		expect(await text(`v0.m3u8?start=${at(0)}&end=${at(60)}&_HLS_skip=YES`)).not.toMatch(/SKIP/);
	});
});

describe("retention", () => {
	it("takes segments off the playlist a while before they are deleted, but never the live ones", async () => {
		const { publish, commit, text, at, recordings, problem, clock } = await world({ retentionMs: 600_000 });
		const writer = await publish();
		await commit(writer, 600);
		const growing = facts(await text(`v0.m3u8?start=${at(0)}`));
		// 600 s less a margin of 120 s.
		expect(growing).toMatchObject({ first: 360, type: null });
		expect(growing.files).toEqual(numbers(360, 600));
		expect(await recordings()).toEqual({
			items: [{ start: "2026-01-01T00:12:00.000Z", end: "2026-01-01T00:20:00.000Z" }],
			retention: 600,
		});
		expect(await problem(`v0.m3u8?start=${at(0)}&end=${at(60)}`)).toEqual([404, "stream.not_found"]);
		await clock.advance(3_600_000);
		expect(facts(await text(`v0.m3u8?start=${at(0)}`)).files).toEqual(numbers(596, 600));
	});
});

describe("recordings", () => {
	it("are stretches of playable time, merged over gaps of under two target durations", async () => {
		const { publish, commit, recordings, clock } = await world();
		const writer = await publish();
		await commit(writer, 5);
		await clock.advance(3000);
		await commit(writer, 5);
		await clock.advance(4000);
		await commit(writer, 5);
		expect((await recordings()).items).toEqual([
			{ start: "2026-01-01T00:00:00.000Z", end: "2026-01-01T00:00:23.000Z" },
			{ start: "2026-01-01T00:00:27.000Z", end: "2026-01-01T00:00:37.000Z" },
		]);
		expect((await recordings()).retention).toBeNull();
	});
});

describe("what cannot be answered", () => {
	it("says why", async () => {
		const { publish, commit, problem, at } = await world();
		await commit(await publish(), 10);
		expect(await problem(`v0.m3u8?start=${at(900)}`)).toEqual([404, "stream.not_found"]);
		expect(await problem(`index.m3u8?start=${at(900)}&end=${at(960)}`)).toEqual([404, "stream.not_found"]);
		expect(await problem(`a7.m3u8?start=${at(0)}`)).toEqual([404, "stream.not_found"]);
		for (const query of ["start=x", "end=-1", "start=-10&end=-20", "start=-999999", "start=-10&_HLS_skip=1"])
			expect(await problem(`v0.m3u8?${query}`)).toEqual([400, "input.invalid"]);
	});
});
