import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeniedError } from "#shared/problem.ts";
import type { Authenticator } from "../../media-node/access/access.ts";
import { settle } from "../support/fake-clock.ts";
import { H264_PPS, H264_SPS, nal, recordingLogger, rtpPacket } from "../support/rtp-stream.ts";
import { play, type RtspClient, type RtspWorld, record, rtspWorld, SDP } from "../support/rtsp-session.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const RUNS = 400;

/** A request as lines; `{session}` stands for what the Session header of the newest answer said. */
type Request = { readonly head: readonly string[]; readonly body: string };
type Message = Request | { readonly frame: Uint8Array };
type Step = { readonly message: Message } & Fault;

/** What becomes of a message on its way. */
type Fault = {
	readonly kind:
		| "none"
		| "drop"
		| "double"
		| "move"
		| "cut"
		| "bytes"
		| "header"
		| "body"
		| "frame"
		| "stall"
		| "pause";
	/** 0 up to 1: where. */
	readonly at: number;
	readonly other: number;
};

const request = (method: string, url: string, headers: readonly string[] = [], body = ""): Request => ({
	head: [`${method} ${url} RTSP/1.0`, "CSeq: {cseq}", ...headers],
	body,
});
const framed = (channel: number, data: Uint8Array, length = data.length) => ({
	frame: Buffer.concat([Buffer.from([0x24, channel, length >> 8, length & 0xff]), data]),
});
const tcp = (pair: string, more = "") => `Transport: RTP/AVP/TCP;unicast;interleaved=${pair}${more}`;
const KEYED = "Session: {session}";
const TARGET = "rtsp://h/target";
const WITNESS = "rtsp://h/witness";
const AAC_SDP = `${SDP}m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000/2\r\na=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190\r\na=control:rtsp://h/target/streamid=2\r\n`;
const video = (sequence: number, payload: Uint8Array) =>
	framed(0, rtpPacket({ sequence, timestamp: 3000 * sequence, marker: true, payload }));

/** What clients without faults say. */
const CONVERSATIONS: readonly (readonly Message[])[] = [
	[
		request("OPTIONS", TARGET),
		request("ANNOUNCE", TARGET, ["Content-Type: application/sdp"], SDP),
		request("SETUP", `${TARGET}/streamid=0`, [tcp("0-1", ";mode=record")]),
		request("SETUP", `${TARGET}/streamid=1`, [tcp("2-3", ";mode=record"), KEYED]),
		request("RECORD", TARGET, [KEYED, "Range: npt=0.000-"]),
		video(1, H264_SPS),
		video(2, H264_PPS),
		video(3, nal(5, 300)),
		framed(1, Uint8Array.from([0x80, 200, 0, 6, ...new Uint8Array(24)])),
		framed(2, rtpPacket({ sequence: 1, timestamp: 160, payloadType: 0, payload: new Uint8Array(160) })),
		request("GET_PARAMETER", TARGET, [KEYED]),
		request("PAUSE", TARGET, [KEYED]),
		request("RECORD", TARGET, [KEYED]),
		video(4, nal(1, 300)),
		request("TEARDOWN", TARGET, [KEYED]),
	],
	[
		request("ANNOUNCE", TARGET, ["Content-Type: application/sdp", "User-Agent: x"], AAC_SDP),
		request("SETUP", `${TARGET}/streamid=0`, [tcp("0-1", ";mode=record")]),
		request("SETUP", "rtsp://h/target/streamid=2", [tcp("4-5", ";mode=record"), KEYED]),
		request("RECORD", TARGET, [KEYED]),
		video(65_535, nal(5, 1200)),
		video(0, nal(28, 1200)),
		framed(
			4,
			rtpPacket({ sequence: 1, timestamp: 0, payloadType: 97, payload: Uint8Array.from([0, 16, 0, 16, 1, 2]) }),
		),
	],
	[
		request("OPTIONS", WITNESS),
		request("DESCRIBE", WITNESS, ["Accept: application/sdp"]),
		request("SETUP", `${WITNESS}/trackID=0`, [tcp("0-1")]),
		request("SETUP", `${WITNESS}/trackID=1`, [tcp("2-3"), KEYED]),
		request("PLAY", `${WITNESS}/`, [KEYED, "Range: npt=0.000-"]),
		framed(1, Uint8Array.from([0x80, 201, 0, 1, 0, 0, 0, 0])),
		request("GET_PARAMETER", `${WITNESS}/`, [KEYED]),
		request("PAUSE", `${WITNESS}/`, [KEYED]),
		request("PLAY", `${WITNESS}/`, [KEYED]),
		request("TEARDOWN", `${WITNESS}/`, [KEYED]),
	],
	[
		request("DESCRIBE", TARGET, ["Authorization: Basic dXNlcjpwYXNz"]),
		request("SETUP", `${TARGET}/trackID=0`, ["Transport: RTP/AVP;unicast;client_port=5000-5001", tcp("8-9")]),
		request("SETUP", `${TARGET}/trackID=0`, [tcp("8-9")]),
		request("PLAY", `${TARGET}/`, [KEYED]),
		request("SET_PARAMETER", `${TARGET}/`, [KEYED, "Content-Type: text/parameters"], "barparam: barstuff\r\n"),
		request("SETUP", `${TARGET}/trackID=1`, [tcp("8-9"), KEYED]),
	],
];

const ODD = [
	"",
	" ",
	"-1",
	"0",
	"256-257",
	"255",
	"99999999999999999999",
	"65536",
	"nan",
	"\u0000",
	"\r",
	"a".repeat(3000),
	"rtsp://",
	"rtsp://[::1/x",
	"*",
	"..%2f..%2f",
	"%zz",
	"{session}x",
	"RTP/AVP/TCP;interleaved=0-0",
	"RTP/AVP;multicast;destination=224.0.0.1;ttl=999",
	"RTP/SAVP/TCP;unicast",
	'mode="RECORD"',
	"96 H264/0",
	"0/0/0",
	"video 0 RTP/AVP",
	"application/sdp",
	"chunked",
];

const fault: fc.Arbitrary<Fault> = fc.record({
	kind: fc.oneof(
		{ weight: 9, arbitrary: fc.constant("none" as const) },
		{
			weight: 4,
			arbitrary: fc.constantFrom<Fault["kind"]>(
				"drop",
				"double",
				"move",
				"cut",
				"bytes",
				"header",
				"header",
				"body",
				"frame",
				"stall",
				"pause",
			),
		},
	),
	at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
	other: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

/** A conversation with its faults, and whether the client is asked at its end or falls silent. */
const hostile = fc.record({
	conversation: fc.nat(CONVERSATIONS.length - 1),
	faults: fc.array(fault, { minLength: 15, maxLength: 15 }),
	isAsked: fc.boolean(),
});
type Hostile = { readonly conversation: number; readonly faults: readonly Fault[]; readonly isAsked: boolean };

function pick<T>(from: readonly T[], at: number): T {
	const item = from[Math.floor(at * from.length)];
	if (item === undefined) throw new RangeError("There is nothing to pick from");
	return item;
}

/** The steps of a client, with the faults that change their order. */
function stepsOf({ conversation, faults }: Hostile): Step[] {
	const steps: Step[] = (CONVERSATIONS[conversation] ?? []).map((message, i) => ({
		message,
		...(faults[i] ?? { kind: "none", at: 0, other: 0 }),
	}));
	for (const step of [...steps]) {
		const from = steps.indexOf(step);
		if (step.kind === "drop") steps.splice(from, 1);
		if (step.kind === "double") steps.splice(from, 0, { ...step, kind: "none" });
		if (step.kind === "move") steps.splice(Math.floor(step.at * steps.length), 0, ...steps.splice(from, 1));
	}
	return steps;
}

/** Says otherwise, leaves out or doubles one of `lines` from the second on; or the first, if `at` is small. */
function withFault(lines: readonly string[], { at, other }: Fault): string[] {
	const index = Math.floor(at * lines.length);
	const line = lines[index] ?? "";
	const [name = "", value = ""] = line.split(/(?<=[:=] ?)(.*)/s);
	const kinds = [
		[],
		[line, line],
		[`${name}${pick(ODD, (other * 7) % 1)}`],
		[`${name}${value}${pick(ODD, (other * 7) % 1)}`],
		[`${pick(ODD, (other * 7) % 1)}${value}`],
		[line.toUpperCase(), line.replaceAll(/\d+/g, "4294967296")],
		[line.replace(/^\w+/, pick(["SETUP", "PLAY", "RECORD", "ANNOUNCE", "REDIRECT", "GET"], at))],
	];
	return lines.toSpliced(index, 1, ...pick(kinds, other));
}

/** The bytes of a step. What a fault does to a body is, half of the times, in its Content-Length, too. */
function bytesOf({ message, ...step }: Step, client: RtspClient, cseq: number): Buffer {
	if ("frame" in message) return damaged(Buffer.from(message.frame), step);
	const session = /\r\nSession: (\w+)/.exec(
		client.peer.sent.map((sent) => Buffer.from(sent).toString("latin1")).join(),
	);
	const body = step.kind === "body" ? withFault(message.body.split("\r\n"), step).join("\r\n") : message.body;
	const told = step.kind === "body" && step.other < 0.5 ? message.body.length : body.length;
	const head = [...message.head, ...(message.body === "" ? [] : [`Content-Length: ${told}`])];
	const text = [...(step.kind === "header" ? withFault(head, step) : head), "", body]
		.join("\r\n")
		.replaceAll("{session}", session?.[1] ?? "none")
		.replaceAll("{cseq}", String(cseq));
	return damaged(Buffer.from(text, "latin1"), step);
}

function damaged(bytes: Buffer, { kind, at, other }: Fault): Buffer {
	const index = Math.floor(at * bytes.length);
	if (kind === "cut") return bytes.subarray(0, index);
	if (kind === "bytes") {
		const changed = Buffer.from(bytes);
		for (let i = index; i < Math.min(bytes.length, index + 1 + other * 4); i++)
			changed[i] = Math.floor(other * 256) ^ i;
		return changed;
	}
	if (kind !== "frame") return bytes;
	const data = new Uint8Array(Math.floor(other * 400)).fill(at * 256);
	// Every other one lies about its length.
	const length = at < 0.5 ? data.length : Math.floor(other * 65_536);
	return Buffer.concat([framed(Math.floor(at * 256), data, length).frame, bytes]);
}

/** Who is not hostile: a camera, and its reader, who must miss nothing. */
class Witness {
	readonly #world: RtspWorld;
	readonly #camera: RtspClient;
	readonly #reader: RtspClient;
	#frames = 0;

	private constructor(world: RtspWorld) {
		this.#world = world;
		this.#camera = world.client();
		this.#reader = world.client();
	}

	static async open(world: RtspWorld): Promise<Witness> {
		const witness = new Witness(world);
		await record(witness.#camera, "witness");
		await play(witness.#reader, "witness");
		witness.look();
		return witness;
	}

	/** A frame goes through now. */
	look(): void {
		const { peer } = this.#reader;
		peer.sent.length = 0;
		const sequence = this.#frames++;
		const payload = nal(5, 40, sequence & 0xff);
		this.#camera.frame(0, rtpPacket({ sequence, timestamp: sequence * 3000, marker: true, payload }));
		const frames = this.#reader.media().filter((bytes) => bytes[1] === 0);
		expect(frames.map((bytes) => Buffer.from(bytes.subarray(16)).toString("hex"))).toEqual([
			Buffer.from(payload).toString("hex"),
		]);
	}

	/** Time goes by, and a frame goes through each second. */
	async watch(seconds: number, clients: readonly RtspClient[]): Promise<void> {
		for (let i = 0; i < seconds; i++) {
			await this.#world.wait(1, this.#camera, this.#reader, ...clients);
			this.look();
		}
	}

	close(): void {
		this.#camera.session.close();
		this.#reader.session.close();
	}
}

/** Nobody who is hostile may publish where the witness is. */
const GUARD: Authenticator = {
	authorize: async ({ action, path }) => {
		if (action === "publish" && path === "witness") throw new DeniedError("access.forbidden", "Not here");
		return { subject: "any", expiresMs: null };
	},
};

/** Longer than a session may be silent, and than a stream waits for its publisher. */
const SILENCE_S = 75;
/** Together more than the longest message: one of them begins a message, whatever was left unfinished. */
const PROBES = 20;
const PROBE_PADDING = "x".repeat(8000);

async function expectAnswerOrEnd(client: RtspClient): Promise<"answered" | "closed"> {
	for (let i = 0; i < PROBES && !client.peer.closed; i++) {
		client.peer.sent.length = 0;
		client.session.receive(Buffer.from(`OPTIONS * RTSP/1.0\r\nCSeq: 77${i}\r\nX: ${PROBE_PADDING}\r\n\r\n`));
		await settle();
		if (client.answers().some(({ headers }) => headers["CSeq"] === `77${i}`)) return "answered";
	}
	expect(client.peer.closed, "closed, as it does not answer").toBe(true);
	return "closed";
}

describe(`RTSP conversations gone wrong (FUZZ_SEED=${SEED})`, () => {
	it("end in answers or closed connections, leave nothing behind, and take no frame from anybody else", async () => {
		const seen = { answers: 0, refusals: 0, answered: 0, closed: 0, silenced: 0, media: 0, published: 0 };
		await fc.assert(
			fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 3 }), async (hostiles) => {
				const world = rtspWorld();
				const witness = await Witness.open(world);
				const timersBefore = world.clock.pending;
				const log = recordingLogger();
				const clients = hostiles.map((plan) => ({
					...plan,
					steps: stepsOf(plan),
					client: world.client({ authenticator: GUARD, log }),
				}));
				const everybody = clients.map(({ client }) => client);
				for (let turn = 0; clients.some(({ steps }) => turn < steps.length); turn++) {
					for (const { steps, client } of clients) {
						const step = steps[turn];
						if (step === undefined) continue;
						const bytes = bytesOf(step, client, turn + 1);
						const cut = Math.floor(step.other * bytes.length);
						client.peer.pendingBytes = step.kind === "stall" ? Math.floor(step.at * 32 * 1024 * 1024) : 0;
						client.session.receive(bytes.subarray(0, cut));
						client.session.receive(bytes.subarray(cut));
						if (step.kind === "pause") await witness.watch(Math.ceil(step.at * 15), everybody);
						else if (step.other < 0.7) await settle();
						witness.look();
					}
					if (world.table.list().some(({ name }) => name === "target")) seen.published++;
				}
				await settle();
				for (const { client } of clients) {
					const answers = client.answers();
					seen.answers += answers.length;
					seen.refusals += answers.filter(({ status }) => status >= 400).length;
					seen.media += client.media().length;
					client.peer.pendingBytes = 0;
				}
				for (const { client, isAsked } of clients) if (isAsked) seen[await expectAnswerOrEnd(client)]++;
				await witness.watch(SILENCE_S, everybody);
				for (const { client } of clients) {
					// Only who reads over TCP need not say anything: what is sent to it arrives.
					if (client.session.snapshot.state === "read") continue;
					expect(client.peer.closed, "closed, as it is silent").toBe(true);
					seen.silenced++;
				}
				for (const { client } of clients) {
					client.session.close();
					await client.session.settled();
				}
				await witness.watch(SILENCE_S, []);
				expect(world.table.list().map(({ name, readers }) => ({ name, readers: readers.length }))).toEqual([
					{ name: "witness", readers: 1 },
				]);
				expect(world.clock.pending).toBe(timersBefore);
				expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
				witness.close();
				await world.clock.advance(SILENCE_S * 1000);
				expect(world.table.list()).toEqual([]);
				world.table.close();
				expect(world.clock.pending).toBe(0);
			}),
			{ seed: SEED, numRuns: RUNS },
		);
		// The faults leave room for conversations that get somewhere.
		expect(seen.answers).toBeGreaterThan(8 * RUNS);
		expect(seen.refusals).toBeGreaterThan(RUNS);
		expect(seen.answered).toBeGreaterThan(RUNS / 5);
		expect(seen.closed).toBeGreaterThan(RUNS / 20);
		expect(seen.silenced).toBeGreaterThan(RUNS / 2);
		expect(seen.media).toBeGreaterThan(RUNS / 2);
		expect(seen.published).toBeGreaterThan(RUNS / 2);
	}, 60_000);
});
