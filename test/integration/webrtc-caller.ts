/** A client of the cycles test: the least that connects to a node by WHIP or WHEP, which can leave in several ways. */

import { createSecretKey, randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { SrtpContext } from "../../media-node/srtp/srtp-context.ts";
import { packetKind } from "../../media-node/webrtc/transport/demultiplex.ts";
import {
	createCertificate,
	DtlsConnection,
	type DtlsLibrary,
	loadDtls,
	type SrtpKeys,
} from "../../media-node/webrtc/transport/dtls-adapter.ts";
import { writeBindingRequest } from "../../media-node/webrtc/transport/stun-writer.ts";

/** Nothing in a short session takes so long. */
const PATIENCE_MS = 20_000;
const CHECK_MS = 500;

/** What clients have in common, which takes long to make. */
export type CallerKit = {
	readonly library: DtlsLibrary;
	readonly certificate: Awaited<ReturnType<typeof createCertificate>>;
};

export async function openCallerKit(): Promise<CallerKit> {
	const library = await loadDtls();
	return { library, certificate: await createCertificate(library) };
}

export class WebRtcCaller implements AsyncDisposable {
	readonly #ufrag: string;
	readonly #kit: CallerKit;
	readonly #socket: dgram.Socket;
	readonly #answer: string;
	readonly #url: string;
	#dtls: DtlsConnection | null = null;
	#checks: NodeJS.Timeout | null = null;
	#out: SrtpContext | null = null;
	#closed = false;
	/** SRTP and SRTCP that came. */
	packets = 0;
	reports = 0;
	#onChange: () => void = () => undefined;

	private constructor(kit: CallerKit, socket: dgram.Socket, ufrag: string, url: string, answer: string) {
		this.#kit = kit;
		this.#socket = socket;
		this.#ufrag = ufrag;
		this.#url = url;
		this.#answer = answer;
	}

	/** Offers H.264 to `url`, and takes the answer. */
	static async offer(kit: CallerKit, url: string): Promise<WebRtcCaller> {
		const ufrag = randomBytes(3).toString("hex");
		const signal = AbortSignal.timeout(PATIENCE_MS);
		const body = offerOf(kit, url.endsWith("/whip") ? "sendonly" : "recvonly", ufrag);
		const response = await fetch(url, { method: "POST", headers: { "content-type": "application/sdp" }, body, signal });
		const text = await response.text();
		if (response.status !== 201) throw new Error(`${url} got ${response.status}: ${text}`);
		const socket = dgram.createSocket("udp4");
		await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
		return new WebRtcCaller(kit, socket, ufrag, new URL(response.headers.get("location") ?? "", url).href, text);
	}

	/** ICE and DTLS, up to where media can flow. */
	async connect(): Promise<void> {
		const { library, certificate } = this.#kit;
		const [algorithm = "", value = ""] = this.#said("fingerprint").split(" ");
		const port = Number(this.#said("candidate").split(" ")[5]);
		const send = (bytes: Uint8Array) => {
			if (!this.#closed) this.#socket.send(bytes, port, "127.0.0.1");
		};
		const connected = Promise.withResolvers<SrtpKeys | null>();
		const dtls = new DtlsConnection({
			...{
				library,
				certificate,
				role: "client",
				fingerprint: { algorithm, value },
				profiles: ["AEAD_AES_128_GCM"],
				send,
			},
			onConnected: connected.resolve,
			onData: () => undefined,
			onEnded: (failure) => connected.reject(new Error(`The node ended the connection: ${failure}`)),
		});
		this.#dtls = dtls;
		const key = createSecretKey(this.#said("ice-pwd"), "latin1");
		const check = () =>
			send(
				writeBindingRequest(
					{
						...{ transactionId: randomBytes(12), username: `${this.#said("ice-ufrag")}:${this.#ufrag}` },
						...{ priority: 1, role: "controlling", tieBreaker: 1n, useCandidate: true },
					},
					key,
				),
			);
		let isStarted = false;
		this.#socket.on("message", (bytes) => {
			const kind = packetKind(bytes);
			if (kind === "dtls") dtls.receive(bytes);
			if (kind === "rtp") this.packets++;
			if (kind === "rtcp") this.reports++;
			if (kind === "stun" && !isStarted) {
				isStarted = true;
				dtls.start();
			}
			this.#onChange();
		});
		check();
		this.#checks = setInterval(check, CHECK_MS);
		const late = setTimeout(() => connected.reject(new Error("No connection: the node is silent")), PATIENCE_MS);
		const keys = await connected.promise.finally(() => clearTimeout(late));
		if (keys === null) throw new Error("The node does not want SRTP");
		const out = new SrtpContext(keys.local);
		this.#out = out;
		this.#send = send;
	}

	#send: (bytes: Uint8Array) => void = () => undefined;

	/** Sends an RTP packet in clear, encrypted. */
	rtp(packet: Uint8Array): void {
		const out = new Uint8Array(packet.length + 64);
		const length = this.#out?.protect(packet, 0, packet.length, out, 0) ?? -1;
		if (length > 0) this.#send(out.subarray(0, length));
	}

	/** Waits until something is as it should be; looks at each packet that comes. */
	async until(isTrue: () => boolean, what: string): Promise<void> {
		const deadline = performance.now() + PATIENCE_MS;
		while (!isTrue()) {
			const left = deadline - performance.now();
			if (left <= 0) throw new Error(`Not within ${PATIENCE_MS} ms: ${what}`);
			const came = Promise.withResolvers<void>();
			this.#onChange = came.resolve;
			const late = setTimeout(came.resolve, left);
			await came.promise;
			clearTimeout(late);
		}
	}

	/** Ends the session by HTTP. */
	async delete(): Promise<void> {
		const response = await fetch(this.#url, { method: "DELETE", signal: AbortSignal.timeout(PATIENCE_MS) });
		await response.text();
		if (response.status !== 200) throw new Error(`DELETE got ${response.status}`);
		await this.vanish();
	}

	/** Says goodbye by DTLS. */
	async goodbye(): Promise<void> {
		this.#dtls?.close();
		await this.vanish();
	}

	/** Is gone, and says nothing. */
	async vanish(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		if (this.#checks !== null) clearInterval(this.#checks);
		this.#dtls?.close();
		await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.vanish();
	}

	/** The first value of an attribute of the answer. */
	#said(name: string): string {
		return new RegExp(`^a=${name}:(.*)$`, "m").exec(this.#answer)?.[1]?.trim() ?? "";
	}
}

function offerOf({ certificate }: CallerKit, direction: "sendonly" | "recvonly", ufrag: string): string {
	const { algorithm, value } = certificate.fingerprint;
	const lines = [
		...["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0"],
		...["m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:0", `a=${direction}`, "a=rtcp-mux"],
		...["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f"],
		...["a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli"],
		...["a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"],
		...(direction === "sendonly" ? ["a=ssrc:1 cname:caller"] : []),
		...[`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${"p".repeat(24)}`, "a=setup:active"],
		...[`a=fingerprint:${algorithm} ${value}`],
	];
	return `${lines.join("\r\n")}\r\n`;
}
