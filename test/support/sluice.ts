import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { eventually } from "./eventually.ts";
import { freePort, freeUdpPairs, type UdpPair } from "./free-port.ts";
import { Program } from "./program.ts";

const LAUNCHER = path.resolve(import.meta.dirname, "../../sluice.mjs");

export type SluiceOptions = {
	/** The working folder: keeps configuration and data over restarts. */
	readonly folder: string;
	/** More lines of YAML for the configuration. */
	readonly config?: string;
	readonly env?: Readonly<Record<string, string>>;
	/** How it is started, other than by `start`. */
	readonly command?: readonly string[];
	/** Without the functions beside the node. */
	readonly nodeOnly?: boolean;
	/** With RTSPS and SRTP besides RTSP, under the certificate of `test/fixtures/tls`. */
	readonly secure?: boolean;
};

export type Ports = {
	readonly rtsp: number;
	readonly rtp: number;
	readonly rtcp: number;
	readonly functions: number;
	readonly metrics: number;
	readonly rtsps: number;
	readonly srtp: number;
	readonly srtcp: number;
	/** HTTP of WebRTC, and its media. */
	readonly webrtc: number;
	readonly ice: number;
	readonly multicast: { readonly rtp: number; readonly rtcp: number; readonly srtp: number; readonly srtcp: number };
};

/** The certificate of RTSPS, and its key. */
export const TLS_FILES = path.resolve(import.meta.dirname, "../fixtures/tls");

/** A whole Sluice in a process of its own, started as a person starts it. */
export class Sluice implements AsyncDisposable {
	readonly program: Program;
	readonly ports: Ports;
	readonly #options: SluiceOptions;

	private constructor(program: Program, ports: Ports, options: SluiceOptions) {
		this.program = program;
		this.ports = ports;
		this.#options = options;
	}

	/** Starts it on free ports, or on those of an earlier run, and waits until it serves. */
	static async start(options: SluiceOptions, ports?: Ports): Promise<Sluice> {
		const chosen = ports ?? (await choosePorts());
		await writeFile(path.join(options.folder, "sluice.yml"), configOf(chosen, options));
		const program = new Program(process.execPath, [LAUNCHER, ...(options.command ?? ["start"])], {
			cwd: options.folder,
			...(options.env ? { env: options.env } : {}),
		});
		const sluice = new Sluice(program, chosen, options);
		await program.says("Publish");
		return sluice;
	}

	rtsp(name: string): string {
		return `rtsp://127.0.0.1:${this.ports.rtsp}/${name}`;
	}

	rtsps(name: string): string {
		return `rtsps://127.0.0.1:${this.ports.rtsps}/${name}`;
	}

	/** The address of a path for browsers, WHIP and WHEP. */
	webrtc(name: string): string {
		return `http://localhost:${this.ports.webrtc}/${name}`;
	}

	get url(): string {
		return `http://127.0.0.1:${this.ports.functions}`;
	}

	/** What `sluice …` prints, run in the same folder. */
	async cli(...args: string[]): Promise<string> {
		const output = await new Program(process.execPath, [LAUNCHER, ...args], { cwd: this.#options.folder }).succeed();
		return output.toString().trim();
	}

	/** A token for reading `name`, as `sluice token` makes it. */
	async readToken(name: string, expires = "1h"): Promise<string> {
		const { token } = JSON.parse(await this.cli("token", "--path", name, "--read", "--expires", expires, "--json")) as {
			token: string;
		};
		return token;
	}

	/** The signed URL that `sluice token` prints. */
	async watchUrl(name: string): Promise<string> {
		return (await this.cli("token", "--path", name, "--read")).replace("localhost", "127.0.0.1");
	}

	async adminToken(): Promise<string> {
		return this.cli("token", "--admin");
	}

	/** Calls the API as an administrator. */
	async api(method: string, route: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
		return fetch(this.url + route, {
			method,
			headers: {
				authorization: `Bearer ${await this.adminToken()}`,
				...(body === undefined ? {} : { "content-type": "application/json" }),
				...headers,
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
	}

	/** Waits until the playlist at `url` lists at least `segments` segments; its text. */
	async playlist(url: string, segments = 1, timeoutMs = 30_000): Promise<string> {
		return eventually(
			`a playlist with ${segments} segments`,
			async () => {
				const master = await fetch(url);
				if (!master.ok) throw new Error(`${master.status} ${await master.text()}`);
				const media = (await master.text()).split("\n").find((line) => line.endsWith(".m3u8") && !line.startsWith("#"));
				const response = await fetch(new URL(media ?? "", url));
				const text = await response.text();
				return text.split("#EXTINF").length > segments ? text : false;
			},
			{ timeoutMs, everyMs: 200 },
		);
	}

	/** The value of a metric, summed over all samples that have these labels. */
	async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
		const response = await fetch(`http://127.0.0.1:${this.ports.metrics}/metrics`);
		const text = await response.text();
		if (!response.ok) throw new Error(`The metrics: ${response.status} ${text}`);
		const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
		const lines = text
			.split("\n")
			.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
			.filter((line) => wanted.every((label) => line.includes(label)));
		return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
	}

	/** What stands beside a message in the log, for each time that it was logged. */
	logged(message: string): Readonly<Record<string, unknown>>[] {
		const lines = (this.program.output.toString() + this.program.errors).split("\n");
		return lines.flatMap((line) => {
			const [, said, details] = /^\[.+?\] [A-Z]+: (.+?)(?: (\{.*\}))?$/.exec(line) ?? [];
			return said === message ? [JSON.parse(details ?? "{}") as Record<string, unknown>] : [];
		});
	}

	/** Writes the configuration file anew, with other lines of `config`. */
	async reconfigure(config: string): Promise<void> {
		await writeFile(path.join(this.#options.folder, "sluice.yml"), configOf(this.ports, { ...this.#options, config }));
	}

	/** Waits until a stream is there to be read. */
	async ready(name: string, timeoutMs = 10_000): Promise<void> {
		const labels = { name, state: "ready" };
		await eventually(`${name} is there`, async () => (await this.metric("paths", labels)) > 0, { timeoutMs });
	}

	async secrets(): Promise<{ signingKeys: unknown[]; streamKeySecrets: string[] }> {
		return JSON.parse(await readFile(path.join(this.#options.folder, "data/secrets.json"), "utf8"));
	}

	/** Ends the process at once, as a power cut does. */
	async kill(): Promise<void> {
		await this.program.stop("SIGKILL");
	}

	async stop(): Promise<void> {
		await this.program.stop("SIGTERM");
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.program.stop("SIGTERM");
	}
}

async function choosePorts(): Promise<Ports> {
	const pairs = (await freeUdpPairs(5)) as [UdpPair, UdpPair, UdpPair, UdpPair, UdpPair];
	const [plain, secure, group, secureGroup, ice] = pairs;
	return {
		rtsp: await freePort(),
		rtsps: await freePort(),
		functions: await freePort(),
		metrics: await freePort(),
		webrtc: await freePort(),
		ice: ice.rtp,
		rtp: plain.rtp,
		rtcp: plain.rtcp,
		srtp: secure.rtp,
		srtcp: secure.rtcp,
		multicast: { rtp: group.rtp, rtcp: group.rtcp, srtp: secureGroup.rtp, srtcp: secureGroup.rtcp },
	};
}

function configOf(ports: Ports, options: SluiceOptions): string {
	return [
		`rtspAddress: 127.0.0.1:${ports.rtsp}`,
		`rtpAddress: 127.0.0.1:${ports.rtp}`,
		`rtcpAddress: 127.0.0.1:${ports.rtcp}`,
		`webrtcAddress: 127.0.0.1:${ports.webrtc}`,
		`webrtcLocalUDPAddress: :${ports.ice}`,
		`multicastRTPPort: ${ports.multicast.rtp}`,
		`multicastRTCPPort: ${ports.multicast.rtcp}`,
		`functions: ${options.nodeOnly !== true}`,
		`functionsAddress: 127.0.0.1:${ports.functions}`,
		`metricsAddress: 127.0.0.1:${ports.metrics}`,
		...(options.secure === true ? secureLines(ports) : []),
		options.config ?? "",
		"",
	].join("\n");
}

function secureLines({ rtsps, srtp, srtcp, multicast }: Ports): string[] {
	return [
		"rtspEncryption: optional",
		`rtspsAddress: 127.0.0.1:${rtsps}`,
		`srtpAddress: 127.0.0.1:${srtp}`,
		`srtcpAddress: 127.0.0.1:${srtcp}`,
		`multicastSRTPPort: ${multicast.srtp}`,
		`multicastSRTCPPort: ${multicast.srtcp}`,
		`rtspServerCert: ${path.join(TLS_FILES, "localhost.crt")}`,
		`rtspServerKey: ${path.join(TLS_FILES, "localhost.key")}`,
	];
}
