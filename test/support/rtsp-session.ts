import { pino } from "pino";
import { DEFAULT_PATH_CONFIG, type PathConfig } from "#shared/config/path-config.ts";
import type { Authenticator } from "../../media-node/access/access.ts";
import { PathConfigs } from "../../media-node/paths/path-configs.ts";
import { PathTable } from "../../media-node/paths/path-table.ts";
import type { Peer } from "../../media-node/rtsp/peer.ts";
import { READER_BUDGET_BYTES } from "../../media-node/rtsp/reader.ts";
import { RtspSession } from "../../media-node/rtsp/session.ts";
import type { SessionEnvironment } from "../../media-node/rtsp/session-context.ts";
import { FakeClock, settle } from "./fake-clock.ts";

export const OPEN: Authenticator = { authorize: async () => ({ subject: "any", expiresMs: null }) };

/** The other end of a connection: keeps what it is sent. */
export class FakePeer implements Peer {
	readonly address = "192.0.2.7";
	readonly port = 40_000;
	pendingBytes = 0;
	sentBytes = 0;
	readonly sent: Uint8Array[] = [];
	closed = false;

	send(bytes: Uint8Array): void {
		this.sent.push(bytes);
		if (this.pendingBytes === 0) this.sentBytes += bytes.length;
	}

	close(): void {
		this.closed = true;
	}
}

export type Answer = {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
};

/** A client of one session: asks, and reads the answers. */
export class RtspClient {
	readonly peer = new FakePeer();
	readonly session: RtspSession;
	#cseq = 0;

	constructor(environment: SessionEnvironment) {
		this.session = new RtspSession(this.peer, environment);
	}

	/** Sends a request; the answers that came by the time that all has settled, the last one first. */
	async ask(method: string, url: string, headers: Record<string, string> = {}, body = ""): Promise<Answer> {
		this.send(method, url, headers, body);
		await settle();
		const answer = this.answers().at(-1);
		if (answer === undefined) throw new Error(`${method} ${url} was not answered`);
		return answer;
	}

	send(method: string, url: string, headers: Record<string, string> = {}, body = ""): void {
		this.#cseq++;
		const all = {
			CSeq: String(this.#cseq),
			...headers,
			...(body === "" ? {} : { "Content-Length": String(body.length) }),
		};
		const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
		this.session.receive(Buffer.from(`${method} ${url} RTSP/1.0\r\n${lines.join("")}\r\n${body}`));
	}

	/** A frame on `channel`. */
	frame(channel: number, data: Uint8Array): void {
		this.session.receive(Buffer.concat([Buffer.from([0x24, channel, data.length >> 8, data.length & 0xff]), data]));
	}

	answers(): Answer[] {
		return this.peer.sent
			.map((bytes) => Buffer.from(bytes).toString("latin1"))
			.filter((text) => text.startsWith("RTSP/1.0 "))
			.map((text) => {
				const [head = "", body = ""] = text.split("\r\n\r\n");
				const [first = "", ...lines] = head.split("\r\n");
				const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
				return { status: Number(first.split(" ")[1]), headers, body };
			});
	}

	/** What was sent beside answers: interleaved data. */
	media(): Uint8Array[] {
		return this.peer.sent.filter((bytes) => bytes[0] === 0x24);
	}
}

export type RtspWorld = {
	readonly clock: FakeClock;
	readonly table: PathTable;
	client(more?: Partial<SessionEnvironment>): RtspClient;
	/** Moves time on, second by second, as the server's clock does. */
	wait(seconds: number, ...clients: RtspClient[]): Promise<void>;
};

export function rtspWorld(config: Partial<PathConfig> = {}): RtspWorld {
	const clock = new FakeClock();
	const log = pino({ level: "silent" });
	const table = new PathTable({
		clock,
		log,
		configs: new PathConfigs({ pathDefaults: { ...DEFAULT_PATH_CONFIG, ...config }, paths: { all_others: {} } }),
	});
	const environment: SessionEnvironment = {
		table,
		authenticator: OPEN,
		authMethods: ["basic"],
		transports: ["tcp"],
		isSecure: false,
		tunnel: "none",
		udp: null,
		multicast: null,
		clock,
		log,
		readTimeoutMs: 10_000,
		writeTimeoutMs: 10_000,
		readerBudgetBytes: READER_BUDGET_BYTES,
	};
	return {
		clock,
		table,
		client: (more = {}) => new RtspClient({ ...environment, ...more }),
		async wait(seconds, ...clients) {
			for (let i = 0; i < seconds; i++) {
				await clock.advance(1000);
				for (const { session } of clients) session.tick();
				await settle();
			}
		},
	};
}

export const SDP =
	"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n" +
	"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:streamid=0\r\n" +
	"m=audio 0 RTP/AVP 0\r\na=control:streamid=1\r\n";

const TCP = (channels: string, mode = "") => ({ Transport: `RTP/AVP/TCP;unicast;interleaved=${channels}${mode}` });

/** ANNOUNCE to RECORD. */
export async function record(client: RtspClient, path = "cam01"): Promise<Answer> {
	const url = `rtsp://h/${path}`;
	await client.ask("ANNOUNCE", url, { "Content-Type": "application/sdp" }, SDP);
	await client.ask("SETUP", `${url}/streamid=0`, TCP("0-1", ";mode=record"));
	await client.ask("SETUP", `${url}/streamid=1`, TCP("2-3", ";mode=record"));
	return client.ask("RECORD", url);
}

/** DESCRIBE to PLAY, with the channels of each track. */
export async function play(
	client: RtspClient,
	path = "cam01",
	channels: Readonly<Record<number, string>> = { 0: "0-1", 1: "2-3" },
): Promise<Answer> {
	const url = `rtsp://h/${path}`;
	await client.ask("DESCRIBE", url, { Accept: "application/sdp" });
	for (const [track, pair] of Object.entries(channels)) await client.ask("SETUP", `${url}/trackID=${track}`, TCP(pair));
	return client.ask("PLAY", `${url}/`);
}
