import { afterEach, describe, expect, it } from "vitest";
import type { PathConfig } from "#shared/config/path-config.ts";
import { DriverRun } from "../../../test/support/driver-run.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { LossyUdp } from "../../../test/support/lossy-udp.ts";
import { rtpPacket } from "../../../test/support/rtp-stream.ts";
import { WhipServerDouble } from "../../../test/support/whip-server-double.ts";
import type { Track } from "../../stream/track.ts";
import type { OutgoingTrack } from "../sdp/negotiate-read.ts";
import type { MediaSection, Sdp } from "../sdp/sdp.ts";
import { whepSource } from "./whep-source.ts";

const VP8: Track = {
	...{ index: 0, kind: "video", codec: { name: "VP8" }, clockRate: 90_000 },
	rtp: { payloadType: 96, encoding: "VP8/90000", fmtp: "" },
};
const OPUS: Track = {
	...{ index: 1, kind: "audio", codec: { name: "Opus", channels: 2 }, clockRate: 48_000 },
	rtp: { payloadType: 111, encoding: "opus/48000/2", fmtp: "" },
};
const KEY_FRAME = Uint8Array.from([0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00, 1, 2, 3]);

const stack: AsyncDisposable[] = [];
afterEach(async () => {
	for (const part of stack.splice(0).reverse()) await part[Symbol.asyncDispose]();
});

async function open(
	config: Partial<PathConfig> = {},
	tracks: readonly Track[] = [VP8, OPUS],
	prepare?: (server: WhipServerDouble) => unknown,
) {
	const server = await WhipServerDouble.open();
	stack.push(server);
	server.tracks = tracks;
	await prepare?.(server);
	const hosts = () => ({ fromInterfaces: true, interfaces: [], additionalHosts: [] });
	const driver = whepSource({ hosts, readBufferBytes: 0 });
	const run = new DriverRun(driver, `whep://${server.host}/cam/whep`, { config });
	stack.push(run);
	let end: unknown = null;
	void run.ended.then((reason) => {
		end = reason;
	});
	/** Lets time pass until something is so. */
	const until = <T>(what: string, condition: () => T) =>
		eventually(what, async () => {
			await run.clock.advance(50);
			return condition();
		});
	let sequence = 100;
	const send = (track: OutgoingTrack | undefined) => {
		const { payloadType, ssrc } = track ?? { payloadType: 0, ssrc: 0 };
		sequence++;
		const packet = { payloadType, ssrc, sequence, timestamp: sequence * 3000, payload: KEY_FRAME, marker: true };
		server.sessions[0]?.transport.sendRtp(rtpPacket(packet));
	};
	const connected = () => until("connected", () => server.sessions[0]?.transport.state === "connected");
	const ended = async () => {
		await eventually("the end", async () => {
			await run.clock.advance(200);
			return end !== null;
		});
		return end;
	};
	return { server, run, until, send, connected, ended };
}

/** An answer with other things in all of its sections. */
function everySection(change: (section: MediaSection) => Partial<MediaSection>): (answer: Sdp) => Sdp {
	return (answer) => ({
		...answer,
		sections: answer.sections.map((section) => ({ ...section, ...change(section) })),
	});
}

describe("a source of WHEP", () => {
	it("publishes what its server sends, asks for key frames, and says goodbye", async () => {
		const { server, run, until, send, connected } = await open({ whepBearerToken: "t0k" });
		await connected();
		const tracks = server.sessions[0]?.tracks ?? [];
		await until("published", () => {
			for (const track of tracks) send(track);
			return run.publication !== null;
		});
		expect(run.publication?.tracks).toMatchObject([{ codec: { name: "VP8" } }, { codec: { name: "Opus" } }]);
		expect(run.remoteAddress).toMatch(/:\d+$/);
		await until("packets of both", () => {
			for (const track of tracks) send(track);
			return new Set(run.packets.map(({ track }) => track)).size === 2;
		});
		const isPli = (packet: Uint8Array) => packet.join().includes("129,206,0,2");
		await until("a key frame is asked for", () => server.sessions[0]?.reports.some(isPli));
		expect(await run.stop()).toMatchObject({ code: "aborted" });
		expect(server.requests).toEqual([
			{ method: "POST", authorization: "Bearer t0k" },
			{ method: "DELETE", authorization: "Bearer t0k" },
		]);
		await eventually("the goodbye", () => server.sessions[0]?.transport.state === "closed");
		expect(run.clock.pending).toBe(0);
	});

	it("leaves out media that do not come while tracks are gathered", async () => {
		const { server, run, until, send, connected } = await open({ whepTrackGatherTimeout: "1s" });
		await connected();
		const audio = server.sessions[0]?.tracks.find(({ track }) => track.kind === "audio");
		send(audio);
		await until("published", () => run.publication !== null);
		expect(run.publication?.tracks.map(({ codec }) => codec.name)).toEqual(["Opus"]);
		await until("the kept packet", () => run.packets.length > 0);
	});

	it("fails when no media come at all", async () => {
		const { run, connected, ended } = await open({ whepTrackGatherTimeout: "1s" });
		await connected();
		expect(await ended()).toMatchObject({ code: "source.timeout", message: "The source sent no media for 1000 ms" });
		expect(run.published).toBe(0);
	});

	it("fails when media cease", async () => {
		const { server, run, until, send, ended } = await open({}, [OPUS]);
		await until("published", () => {
			send(server.sessions[0]?.tracks[0]);
			return run.publication !== null;
		});
		expect(await ended()).toMatchObject({ code: "source.timeout", message: "The source sent no media for 10000 ms" });
		expect(server.requests.map(({ method }) => method)).toEqual(["POST", "DELETE"]);
	});

	it("ends when the server is gone without a word", async () => {
		let relay: LossyUdp | null = null;
		const { server, run, until, send, connected, ended } = await open(
			{ whepTrackGatherTimeout: "100s" },
			[VP8, OPUS],
			async (double) => {
				const opened = await LossyUdp.open({ target: double.mediaPort, loss: 0, seed: 1 });
				relay = opened;
				double.changed = everySection(({ candidates: [one] }) => ({
					candidates: one === undefined ? [] : [{ ...one, address: "127.0.0.1", port: opened.port }],
				}));
			},
		);
		await connected();
		await until("connected here", () => {
			send(server.sessions[0]?.tracks[0]);
			return run.clock.monotonic() > 500;
		});
		await (relay as LossyUdp | null)?.[Symbol.asyncDispose]();
		expect(await ended()).toMatchObject({ code: "webrtc.failed", message: expect.stringContaining("vanished") });
	});

	it("ends when the server says goodbye", async () => {
		const { server, connected, ended } = await open();
		await connected();
		await server.sessions[0]?.transport.close();
		expect(await ended()).toMatchObject({ code: "session.closed" });
	});

	it("gives up a server that no packet reaches", async () => {
		const { ended } = await open({ whepHandshakeTimeout: "3s" }, [OPUS], (server) => {
			server.changed = everySection(() => ({ candidates: [] }));
		});
		expect(await ended()).toMatchObject({ code: "webrtc.failed", message: expect.stringContaining("within 3000 ms") });
	});

	it("does not talk to who has another certificate than the answer says", async () => {
		const value = Array.from({ length: 32 }, () => "00").join(":");
		const { run, ended } = await open({}, [OPUS], (server) => {
			server.changed = everySection(() => ({ fingerprints: [{ algorithm: "sha-256", value }] }));
		});
		expect(await ended()).toMatchObject({ code: "webrtc.failed", message: expect.stringContaining("fingerprint") });
		expect(run.published).toBe(0);
	});
});
