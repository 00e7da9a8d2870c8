import { describe, expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { Challenge } from "../../media-node/rtsp/credentials.ts";
import { parseRtspUrl, pathOf } from "../../media-node/rtsp/rtsp-url.ts";
import { parseAnnouncement } from "../../media-node/rtsp/sdp.ts";
import { parseTransport } from "../../media-node/rtsp/transport.ts";
import { nal, rtpPacket } from "../support/rtp-stream.ts";
import { play, record, rtspWorld, SDP } from "../support/rtsp-session.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

/** A small generator of numbers from 0 up to 1: the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** Changes, cuts, doubles or removes some bytes. */
function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
	let result = Uint8Array.from(bytes);
	for (let n = 1 + Math.floor(random() * 4); n > 0; n--) {
		const at = Math.floor(random() * (result.length + 1));
		const length = Math.floor(random() * 12);
		switch (Math.floor(random() * 4)) {
			case 0:
				if (at < result.length) result[at] = Math.floor(random() * 256);
				break;
			case 1:
				result = result.slice(0, at);
				break;
			case 2:
				result = Uint8Array.from([...result.subarray(0, at + length), ...result.subarray(at)]);
				break;
			default:
				result = Uint8Array.from([...result.subarray(0, at), ...result.subarray(at + length)]);
		}
	}
	return result;
}

const text = (value: string) => Buffer.from(value, "latin1");

describe(`hostile RTSP clients (FUZZ_SEED=${SEED})`, () => {
	it.each([
		["SDP", SDP, parseAnnouncement],
		["Transport", 'RTP/AVP/TCP;unicast;interleaved=0-1;mode="record",RTP/AVP;client_port=5000-5001', parseTransport],
		[
			"URL",
			"rtsp://user:pass@host:8554/site/cam01/trackID=1?token=a.b.c",
			(value: string) => pathOf(parseRtspUrl(value)),
		],
		[
			"Authorization",
			"Basic dXNlcjpwYXNz",
			(value: string) =>
				new Challenge(["basic", "digest"]).credentialsOf(
					"DESCRIBE",
					new Map([["authorization", value]]),
					parseRtspUrl("rtsp://h/x"),
				),
		],
	])("get an error of the taxonomy for a broken %s, or none, and never another one", (_, valid, parse) => {
		const random = generator(SEED);
		for (let i = 0; i < 5000; i++) {
			const input = Buffer.from(mutated(text(valid), random)).toString("latin1");
			try {
				parse(input);
			} catch (error) {
				if (!(error instanceof SluiceError))
					throw new Error(`${JSON.stringify(input)} (round ${i}, seed ${SEED})`, { cause: error });
			}
		}
	});

	it("cannot crash a session, disturb another one, or leave anything behind, whatever they send in whatever order", async () => {
		const random = generator(SEED);
		const world = rtspWorld();
		const [camera, witness] = [world.client(), world.client()];
		await record(camera, "witness");
		await play(witness, "witness");
		const messages = conversation();
		let answered = 0;
		for (let round = 0; round < 400; round++) {
			const client = world.client();
			const order = messages.flatMap((message) => {
				const chance = random();
				if (chance < 0.1) return [];
				if (chance < 0.2) return [message, message];
				return [chance < 0.4 ? mutated(message, random) : message];
			});
			if (random() < 0.3) order.sort(() => random() - 0.5);
			for (const message of order) {
				const cut = random() < 0.3 ? Math.floor(random() * message.length) : message.length;
				client.session.receive(message.subarray(0, cut));
				client.session.receive(message.subarray(cut));
				if (random() < 0.5) await world.clock.advance(0);
			}
			await world.wait(1, client, camera, witness);
			answered += client.answers().length;
			client.session.close();
			await client.session.settled();
			camera.frame(0, rtpPacket({ sequence: round, timestamp: round * 3000, marker: true, payload: nal(5, 40) }));
			expect(
				witness.media().filter((bytes) => bytes[1] === 0),
				`the witness after round ${round}, seed ${SEED}`,
			).toHaveLength(round + 1);
			expect(witness.peer.closed || camera.peer.closed).toBe(false);
		}
		expect(answered).toBeGreaterThan(1000);
		camera.session.close();
		witness.session.close();
		world.table.close();
		expect(world.clock.pending).toBe(0);
	});
});

/** A whole conversation of a publisher and one of a reader, message by message, with media in between. */
function conversation(): Uint8Array[] {
	let cseq = 0;
	const request = (method: string, url: string, headers: string[] = [], body = "") =>
		text(
			[
				`${method} ${url} RTSP/1.0`,
				`CSeq: ${++cseq}`,
				...headers,
				...(body ? [`Content-Length: ${body.length}`] : []),
				"",
				body,
			].join("\r\n"),
		);
	const frame = (channel: number, data: Uint8Array) =>
		Buffer.concat([Buffer.from([0x24, channel, data.length >> 8, data.length & 0xff]), data]);
	const tcp = (pair: string, more = "") => [`Transport: RTP/AVP/TCP;unicast;interleaved=${pair}${more}`];
	const url = "rtsp://h/target";
	return [
		request("OPTIONS", url),
		request("ANNOUNCE", url, ["Content-Type: application/sdp"], SDP),
		request("SETUP", `${url}/streamid=0`, tcp("0-1", ";mode=record")),
		request("SETUP", `${url}/streamid=1`, tcp("2-3", ";mode=record")),
		request("RECORD", url),
		frame(0, rtpPacket({ sequence: 1, timestamp: 3000, marker: true, payload: nal(5, 300) })),
		frame(1, Uint8Array.from([0x80, 200, 0, 6, ...new Uint8Array(24)])),
		frame(2, rtpPacket({ sequence: 1, timestamp: 160, payloadType: 0, payload: new Uint8Array(160) })),
		frame(9, Uint8Array.from([1, 2, 3])),
		request("TEARDOWN", url),
		request("DESCRIBE", "rtsp://h/witness"),
		request("SETUP", "rtsp://h/witness/trackID=0", tcp("0-1")),
		request("PLAY", "rtsp://h/witness/"),
		request("GET_PARAMETER", "rtsp://h/witness/"),
		request("PAUSE", "rtsp://h/witness/"),
	];
}
