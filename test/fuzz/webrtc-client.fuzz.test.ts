/** Servers that answer our offers with anything at all. */

import { createSecretKey } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import type { Track } from "../../media-node/stream/track.ts";
import { transportOfAnswer } from "../../media-node/webrtc/sdp/client-offer.ts";
import { answerPublisher } from "../../media-node/webrtc/sdp/negotiate-publish.ts";
import { pulledMedia, pullOffer } from "../../media-node/webrtc/sdp/negotiate-pull.ts";
import { pushedTracks, pushOffer } from "../../media-node/webrtc/sdp/negotiate-push.ts";
import { answerViewer } from "../../media-node/webrtc/sdp/negotiate-read.ts";
import { parseSdp } from "../../media-node/webrtc/sdp/sdp-parse.ts";
import { writeSdp } from "../../media-node/webrtc/sdp/sdp-write.ts";
import { IceAgent } from "../../media-node/webrtc/transport/ice-agent.ts";
import type { Route } from "../../media-node/webrtc/transport/route.ts";
import { parseStun } from "../../media-node/webrtc/transport/stun.ts";
import {
	writeBindingError,
	writeBindingRequest,
	writeBindingSuccess,
} from "../../media-node/webrtc/transport/stun-writer.ts";
import { mutated } from "../support/mutate.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

const LOCAL = {
	sessionId: "1",
	ice: { ufrag: "node", pwd: "nodenodenodenodenodenode" },
	fingerprint: { algorithm: "sha-256", value: Array.from({ length: 32 }, () => "00").join(":") },
	candidates: [],
};
const TRACKS: readonly Track[] = [
	{
		...{ index: 0, kind: "video", codec: { name: "VP8" }, clockRate: 90_000 },
		rtp: { payloadType: 96, encoding: "VP8/90000", fmtp: "" },
	},
	{
		...{ index: 1, kind: "audio", codec: { name: "Opus", channels: 2 }, clockRate: 48_000 },
		rtp: { payloadType: 111, encoding: "opus/48000/2", fmtp: "" },
	},
];
const newSsrc = () => 7;
const PULL = pullOffer(LOCAL);
const PUSH = pushOffer(TRACKS, { local: LOCAL, cname: "c", newSsrc });
const ANSWERS = [
	answerViewer(PULL, TRACKS, { local: LOCAL, cname: "c", newSsrc }).answer,
	answerPublisher(PUSH.offer, { local: LOCAL, acceptDataChannel: false }).answer,
].map((answer) => Uint8Array.from(Buffer.from(writeSdp(answer))));

/** Says whether it refused with an error that a peer may cause. */
function works(run: () => unknown): boolean {
	try {
		run();
		return true;
	} catch (error) {
		if (error instanceof SluiceError) return false;
		throw error;
	}
}

it("reads damaged answers, or refuses them", () => {
	let good = 0;
	const property = fc.property(mutated(ANSWERS, 8), (bytes) => {
		const text = Buffer.from(bytes).toString("utf8");
		const all = [
			works(() => transportOfAnswer(PULL, parseSdp(text))),
			works(() => pulledMedia(PULL, parseSdp(text))),
			works(() => pushedTracks(PUSH, parseSdp(text))),
		];
		if (all.includes(true)) good++;
	});
	fc.assert(property, { numRuns: 500, seed });
	expect(good).toBeGreaterThan(50);
});

it("trusts no damaged STUN", () => {
	const pwd = "p".repeat(22);
	const key = createSecretKey(pwd, "latin1");
	const transactionId = new Uint8Array(12);
	const route: Route = {
		...{ transport: "udp", remote: { address: "192.0.2.1", port: 1 }, name: "192.0.2.1 1" },
		outgoing: () => new Uint8Array(2048),
		sendOutgoing: () => true,
		send: () => true,
	};
	const role = "controlled" as const;
	const originals = [
		writeBindingRequest({ transactionId, username: "a:b", priority: 1, role, tieBreaker: 1n, useCandidate: true }, key),
		writeBindingSuccess(transactionId, { address: "192.0.2.1", port: 9 }, key),
		writeBindingError(transactionId, 487, key),
	];
	let read = 0;
	const property = fc.property(mutated(originals, 2), (bytes) => {
		const agent = new IceAgent();
		agent.setRemote({ ufrag: "b", pwd });
		agent.addRemote(route, 1);
		agent.tick(0);
		const message = parseStun(bytes);
		if (message === null) return;
		read++;
		if (message.kind === "request") expect(agent.check(message, route, 0).authenticated).toBe(false);
		else agent.response(message, route.name, 0);
		agent.tick(50);
		expect(agent.isProven(route.name)).toBe(false);
	});
	fc.assert(property, { numRuns: 2_000, seed });
	expect(read).toBeGreaterThan(100);
});
