import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { candidateText, parseCandidate } from "../../media-node/webrtc/sdp/candidate.ts";
import { answerPublisher } from "../../media-node/webrtc/sdp/negotiate-publish.ts";
import { answerViewer } from "../../media-node/webrtc/sdp/negotiate-read.ts";
import { MAX_CANDIDATES, MAX_SECTIONS } from "../../media-node/webrtc/sdp/sdp.ts";
import { parseSdp } from "../../media-node/webrtc/sdp/sdp-parse.ts";
import { writeSdp } from "../../media-node/webrtc/sdp/sdp-write.ts";
import { parseIceFragment, writeIceFragment } from "../../media-node/webrtc/sdp/trickle.ts";
import { matchesEntityTag, targetOf } from "../../media-node/webrtc/whip/whip-request.ts";
import { mutated } from "../support/mutate.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const RUNS = { seed: SEED, numRuns: 300 };

const FOLDER = new URL("../fixtures/webrtc/", import.meta.url);
const OFFERS = readdirSync(FOLDER)
	.filter((name) => name.endsWith(".sdp"))
	.map((name) => Uint8Array.from(readFileSync(new URL(name, FOLDER))));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

const LOCAL = {
	sessionId: "1",
	ice: { ufrag: "node", pwd: "nodenodenodenodenodenode" },
	fingerprint: { algorithm: "sha-256", value: Array.from({ length: 32 }, () => "00").join(":") },
	candidates: [],
};
const TRACKS = [
	{ index: 0, kind: "video" as const, codec: { name: "VP8" as const }, clockRate: 90_000 },
	{ index: 1, kind: "audio" as const, codec: { name: "Opus" as const, channels: 2 }, clockRate: 48_000 },
].map((track) => ({ ...track, rtp: { payloadType: 96, encoding: "", fmtp: "" } }));

/** What `run` gives; `null` when it refuses with an error that a peer may cause. */
function refusedOr<T>(run: () => T): T | null {
	try {
		return run();
	} catch (error) {
		if (error instanceof SluiceError) return null;
		throw error;
	}
}

/** An offer with some of its lines left out, doubled, or moved. */
const shuffled = fc
	.tuple(fc.constantFrom(...OFFERS), fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { maxLength: 8 }))
	.map(([offer, edits]) => {
		const lines = text(offer).split("\r\n");
		for (const [from, to, copies] of edits) {
			const taken = lines.slice(from % lines.length, (from % lines.length) + 1);
			if (!copies) lines.splice(from % lines.length, 1);
			lines.splice(to % (lines.length + 1), 0, ...taken);
			if (lines.length === 0) break;
		}
		return lines.join("\r\n");
	});
const offers = fc.oneof(mutated(OFFERS, 12).map(text), shuffled, fc.string({ maxLength: 400 }));

describe("signalling of WebRTC, with anything at all", () => {
	it("reads descriptions without harm, and reads again what it wrote", () => {
		fc.assert(
			fc.property(offers, (offer) => {
				const sdp = refusedOr(() => parseSdp(offer));
				if (sdp === null) return;
				expect(sdp.sections.length).toBeLessThanOrEqual(MAX_SECTIONS);
				expect(parseSdp(writeSdp(sdp))).toEqual(sdp);
			}),
			RUNS,
		);
	});

	it("answers offers with what can be read, has a section for each, and takes nothing that was not offered", () => {
		fc.assert(
			fc.property(offers, fc.boolean(), (offer, acceptDataChannel) => {
				const sdp = refusedOr(() => parseSdp(offer));
				if (sdp === null) return;
				let ssrc = 1;
				const read = { local: LOCAL, cname: "c", newSsrc: () => ssrc++ };
				const answers = [
					refusedOr(() => answerPublisher(sdp, { local: LOCAL, acceptDataChannel }).answer),
					refusedOr(() => answerViewer(sdp, TRACKS, read).answer),
				];
				for (const answer of answers.filter((each) => each !== null)) {
					expect(parseSdp(writeSdp(answer))).toEqual(answer);
					expect(answer.sections.map(({ mid, kind }) => [mid, kind])).toEqual(
						sdp.sections.map(({ mid, kind }) => [mid, kind]),
					);
					for (const [index, { payloadTypes }] of answer.sections.entries()) {
						const offered = sdp.sections[index]?.payloadTypes.map(({ payloadType }) => payloadType);
						for (const { payloadType } of payloadTypes) expect(offered).toContain(payloadType);
					}
				}
			}),
			RUNS,
		);
	});

	it("reads fragments of ICE without harm, and reads again what it wrote", () => {
		const fragment = fc.oneof(
			offers,
			shuffled.map((offer) => offer.replaceAll(/^[^am]=.*\r\n/gm, "").slice(0, 4000)),
		);
		fc.assert(
			fc.property(fragment, (body) => {
				const read = refusedOr(() => parseIceFragment(body));
				if (read === null) return;
				expect(read.candidates.length).toBeLessThanOrEqual(MAX_CANDIDATES);
				const written = writeIceFragment(read);
				if (written.trim() !== "") expect(parseIceFragment(written)).toEqual(read);
			}),
			RUNS,
		);
	});

	it("reads candidates, entity tags and addresses without harm", () => {
		const lines = OFFERS.map((offer) => /a=candidate:(.*)\r\n/.exec(text(offer))?.[1] ?? "").map((line) =>
			Buffer.from(line),
		);
		fc.assert(
			fc.property(fc.oneof(mutated(lines).map(text), fc.string({ maxLength: 200 })), (line) => {
				const candidate = parseCandidate(line);
				if (candidate !== null) expect(parseCandidate(candidateText(candidate))).toEqual(candidate);
				refusedOr(() => matchesEntityTag(line, "etag"));
				targetOf(line);
				targetOf(`/${line}`);
			}),
			RUNS,
		);
	});
});
