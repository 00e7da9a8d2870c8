import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { ProtocolError } from "#shared/problem.ts";
import { httpCredentials } from "../../media-node/http/http-credentials.ts";
import type { Track } from "../../media-node/stream/track.ts";
import { answerPublisher } from "../../media-node/webrtc/sdp/negotiate-publish.ts";
import { answerViewer } from "../../media-node/webrtc/sdp/negotiate-read.ts";
import type { Sdp } from "../../media-node/webrtc/sdp/sdp.ts";
import type { SessionRequest, WebRtcSession, WebRtcSessions } from "../../media-node/webrtc/webrtc-sessions.ts";
import { Pages } from "../../media-node/webrtc/whip/pages.ts";
import { WhipRoutes } from "../../media-node/webrtc/whip/whip-routes.ts";
import { openWhipServer } from "../../media-node/webrtc/whip/whip-server.ts";
import { eventually } from "../support/eventually.ts";
import { httpOnLoopback } from "../support/whip-world.ts";

const FLAGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--use-fake-device-for-media-stream",
	"--use-fake-ui-for-media-stream",
	"--autoplay-policy=no-user-gesture-required",
];

const LOCAL = {
	sessionId: "1",
	ice: { ufrag: "node", pwd: "nodenodenodenodenodenode" },
	fingerprint: { algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AB").join(":") },
	candidates: [],
};

function track(index: number, kind: Track["kind"], codec: Track["codec"], clockRate: number): Track {
	return { index, kind, codec, clockRate, rtp: { payloadType: 96, encoding: "", fmtp: "" } };
}

/** Negotiates as the node does, and lets no media flow. */
class SignallingOnly implements WebRtcSessions {
	readonly agreed: { readonly action: string; readonly codecs: string[] }[] = [];
	readonly refused: unknown[] = [];
	readonly closed: string[] = [];
	tracks: readonly Track[] = [
		track(0, "video", { name: "H264", sps: null, pps: null }, 90_000),
		track(1, "audio", { name: "Opus", channels: 2 }, 48_000),
	];

	async publish({ offer, access }: SessionRequest): Promise<WebRtcSession> {
		const { answer, media } = answerPublisher(offer, { local: LOCAL, acceptDataChannel: false });
		this.agreed.push({ action: access.action, codecs: media.map((each) => each.track.codec.name) });
		return this.#session(answer, "publish");
	}

	async read({ offer, access }: SessionRequest): Promise<WebRtcSession> {
		let ssrc = 1000;
		const options = { local: LOCAL, cname: "cname", newSsrc: () => ssrc++ };
		try {
			const { answer, tracks } = answerViewer(offer, this.tracks, options);
			this.agreed.push({ action: access.action, codecs: tracks.map((each) => each.track.codec.name) });
			return this.#session(answer, "read");
		} catch (error) {
			this.refused.push(error);
			throw error;
		}
	}

	async authorize(): Promise<void> {}

	#session(answer: Sdp, id: string): WebRtcSession {
		const ended = Promise.withResolvers<null>();
		return {
			id,
			answer,
			isCounterOffer: false,
			accept: () => undefined,
			etag: "tag",
			remoteIce: { ufrag: "", pwd: "" },
			closed: ended.promise,
			addCandidates: () => undefined,
			iceRestart: () => Promise.reject(new ProtocolError("media.unsupported", "There is no transport")),
			close: async () => {
				this.closed.push(id);
				ended.resolve(null);
			},
		};
	}
}

describe("the pages of WebRTC in Chromium", () => {
	const stack = new AsyncDisposableStack();
	const sessions = new SignallingOnly();
	let browser: Browser;
	let page: Page;
	let origin = "";
	const messages: string[] = [];

	beforeAll(async () => {
		const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => log };
		const routes = new WhipRoutes({
			sessions,
			pages: await Pages.open(),
			iceServers: [],
			credentialsOf: httpCredentials,
			clock: systemClock,
			log,
		});
		const http = httpOnLoopback({ allowOrigins: [] });
		const server = await openWhipServer({ http, routes, clock: systemClock, log });
		stack.use(server);
		origin = `http://127.0.0.1:${server.port}`;
		browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
		stack.defer(() => browser.close());
		page = await browser.newPage();
		page.on("console", (message) => messages.push(message.text()));
		page.on("pageerror", (error) => messages.push(error.message));
		// The page keeps its connections to itself: they are watched from here.
		await page.addInitScript(() => {
			// biome-ignore lint/suspicious/noExplicitAny: the page has its own globals
			const scope = globalThis as any;
			scope.connections = [];
			const Original = scope.RTCPeerConnection;
			scope.RTCPeerConnection = class extends Original {
				constructor(options: unknown) {
					super(options);
					scope.connections.push(this);
				}
			};
		});
	}, 60_000);
	afterAll(() => stack.disposeAsync());

	/** The direction of each transceiver of the newest connection, once its answer was accepted. */
	function directions(): Promise<string[] | null> {
		return page.evaluate(() => {
			// biome-ignore lint/suspicious/noExplicitAny: see above
			const pc = (globalThis as any).connections.at(-1);
			if (pc?.remoteDescription == null) return null;
			return pc.getTransceivers().map((transceiver: { currentDirection: string }) => transceiver.currentDirection);
		});
	}

	it("play: the browser accepts the answer, and is sent video and audio", async () => {
		await page.goto(`${origin}/cam/`);
		expect(await eventually("an answer", directions)).toEqual(["recvonly", "recvonly"]);
		expect(sessions.agreed.at(-1)).toEqual({ action: "read", codecs: ["H264", "Opus"] });
	});

	it("play: six channels of Opus, which the browser does not offer by itself", async () => {
		sessions.tracks = [track(0, "audio", { name: "Opus", channels: 6 }, 48_000)];
		await page.goto(`${origin}/cam/`);
		expect(await eventually("an answer", directions)).toEqual(["inactive", "recvonly"]);
	});

	it("play: say why nothing is to be seen, and try again", async () => {
		sessions.refused.length = 0;
		sessions.tracks = [track(0, "video", { name: "M-JPEG" }, 90_000)];
		await page.goto(`${origin}/cam/`);
		await eventually("a second try", () => sessions.refused.length >= 2);
		await eventually("a reason", async () =>
			(await page.locator("#status").textContent())?.includes("The stream has no codec that the viewer takes: M-JPEG"),
		);
	});

	it.each(["H264", "VP8", "VP9", "AV1"])("publish: the browser accepts the answer for %s", async (codec) => {
		await page.goto(`${origin}/cam/publish`);
		await page.selectOption("#videoCodec", `video/${codec}`);
		await page.click("#start");
		expect(await eventually("an answer", directions)).toEqual(["sendonly", "sendonly"]);
		expect(sessions.agreed.at(-1)?.action).toBe("publish");
		expect(sessions.agreed.at(-1)?.codecs.sort()).toEqual([codec, "Opus"].sort());
		const closed = sessions.closed.length;
		await page.click("#stop");
		await eventually("the session is ended", () => sessions.closed.length > closed);
	});

	it("publish: the browser accepts the answer for three layers, and sends all of them", async () => {
		await page.goto(`${origin}/cam/publish`);
		const rids = await page.evaluate(async () => {
			// biome-ignore lint/suspicious/noExplicitAny: see above
			const scope = globalThis as any;
			const pc = new scope.RTCPeerConnection();
			const stream = await scope.navigator.mediaDevices.getUserMedia({ video: true });
			const sendEncodings = ["l", "m", "h"].map((rid, index) => ({ rid, scaleResolutionDownBy: 4 >> index }));
			const { sender } = pc.addTransceiver(stream.getTracks()[0], { direction: "sendonly", sendEncodings });
			await pc.setLocalDescription();
			const headers = { "content-type": "application/sdp" };
			const response = await fetch("whip", { method: "POST", headers, body: pc.localDescription.sdp });
			await pc.setRemoteDescription({ type: "answer", sdp: await response.text() });
			return sender.getParameters().encodings.map(({ rid, active }: { rid: string; active: boolean }) => active && rid);
		});
		expect(rids).toEqual(["l", "m", "h"]);
	});

	it("load nothing from elsewhere, and break no rule of their own", () => {
		expect(messages.filter((text) => !text.includes("406"))).toEqual([]);
	});
});
