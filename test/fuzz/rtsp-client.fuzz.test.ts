import { describe, expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { parseChallenges } from "../../media-node/rtsp/client-auth.ts";
import { parseSessionHeader, parseTransportAnswer } from "../../media-node/rtsp/client-transport.ts";
import { writeResponse } from "../../media-node/rtsp/message.ts";
import { parseSourceDescription } from "../../media-node/rtsp/source-description.ts";
import { baseUrlOf, controlUrlOf, parseSourceUrl, redirectedUrl } from "../../media-node/rtsp/source-url.ts";
import { eventually } from "../support/eventually.ts";
import { CAMERA_SDP, FakeCamera, usual } from "../support/fake-camera.ts";
import { pullFrom } from "../support/pull.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_122);

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

describe(`hostile RTSP servers (FUZZ_SEED=${SEED})`, () => {
	const from = parseSourceUrl("rtsp://u:p@h:8554/a?b=c");
	it.each<[string, string, (text: string) => unknown]>([
		["description", `a=control:*\r\nc=IN IP4 239.1.1.1/16\r\n${CAMERA_SDP}a=recvonly\r\n`, parseSourceDescription],
		["Transport", "RTP/AVP;multicast;destination=239.1.1.1;port=5000-5001;source=10.0.0.1", parseTransportAnswer],
		["Session", "12345678;timeout=60", parseSessionHeader],
		["challenge", 'Digest realm="a, \\"b", nonce="n", qop="auth", Basic realm=x', parseChallenges],
		["Location", "rtsp://u:p@other:554/b?c=d", (text) => redirectedUrl(from, text)],
		["Content-Base", "rtsp://h/b/", (text) => controlUrlOf(baseUrlOf("rtsp://h/a", { contentBase: text }, text), text)],
		["URL", "rtsps+http://user:pa%40ss@[::1]:8554/cam?x=1", parseSourceUrl],
	])("get an error of the taxonomy for a broken %s, or none, and never another one", (_, valid, parse) => {
		const random = generator(SEED);
		for (let i = 0; i < 5000; i++) {
			const input = Buffer.from(mutated(Buffer.from(valid, "latin1"), random)).toString("latin1");
			try {
				parse(input);
			} catch (error) {
				if (!(error instanceof SluiceError))
					throw new Error(`${JSON.stringify(input)} (round ${i}, seed ${SEED})`, { cause: error });
			}
		}
	});

	it("end a pull with an error of the taxonomy or not at all, and leave nothing behind", async () => {
		const random = generator(SEED);
		let broken = 0;
		await using camera = await FakeCamera.open((request) => {
			const answer = usual(request);
			const cseq = request.headers.get("cseq") ?? "";
			const bytes = writeResponse({ ...answer, headers: { CSeq: cseq, ...answer.headers } });
			const isBroken = random() < 0.3;
			if (isBroken) broken++;
			request.connection.send(isBroken ? mutated(bytes, random) : bytes);
			return null;
		});
		for (let round = 0; round < 40; round++) {
			const pull = pullFrom(`rtsp://127.0.0.1:${camera.port}/cam`);
			const error = await eventually(
				"the end",
				async () => {
					await pull.clock.advance(1_000);
					return Promise.race([pull.ended, false]);
				},
				{ everyMs: 5 },
			);
			if (!(error instanceof SluiceError)) throw new Error(`Round ${round}, seed ${SEED}`, { cause: error });
			expect(pull.clock.pending, `round ${round}, seed ${SEED}`).toBe(0);
		}
		expect(broken).toBeGreaterThan(20);
		await eventually("no connection", () => camera.connections.every(({ isClosed }) => isClosed));
	});
});
