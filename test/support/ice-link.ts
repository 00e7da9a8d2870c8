import dgram from "node:dgram";
import { Candidate, Connection } from "werift";
import { stunServer } from "./webrtc-peer.ts";
import { attributes } from "./whip-client.ts";

const HOST = "127.0.0.1";

/**
 * The ICE of a program that has none: a full agent of another make, which checks and nominates, and then carries
 * datagrams between the node and ports of the program on the loopback.
 */
export class IceLink implements AsyncDisposable {
	readonly #agent: Connection;
	readonly #socket = dgram.createSocket("udp4");
	readonly #programPort: number;

	private constructor(programPort: number, stunPort: number) {
		this.#agent = new Connection(true, {
			useIpv6: false,
			useTcp: false,
			additionalHostAddresses: [HOST],
			stunServer: [HOST, stunPort],
		});
		this.#programPort = programPort;
	}

	/** `programPort`: where the program awaits what comes from the node. */
	static async open(programPort: number): Promise<IceLink> {
		await using stun = await stunServer();
		const link = new IceLink(programPort, stun.port);
		await new Promise<void>((resolve) => link.#socket.bind(0, HOST, resolve));
		await link.#agent.gatherCandidates();
		return link;
	}

	/** Where the program sends what goes to the node. */
	get port(): number {
		return this.#socket.address().port;
	}

	get ufrag(): string {
		return this.#agent.localUsername;
	}

	get pwd(): string {
		return this.#agent.localPassword;
	}

	/** Connects to the node that gave this answer; resolves when datagrams pass. */
	async connect(answer: string): Promise<void> {
		const agent = this.#agent;
		const [ufrag = ""] = attributes(answer, "ice-ufrag");
		const [pwd = ""] = attributes(answer, "ice-pwd");
		agent.setRemoteParams({ iceLite: /^a=ice-lite\r?$/m.test(answer), usernameFragment: ufrag, password: pwd });
		const near = attributes(answer, "candidate").find((line) => line.includes(` udp `) && line.includes(` ${HOST} `));
		if (near === undefined) throw new Error(`The node has no candidate of the loopback:\n${answer}`);
		await agent.addRemoteCandidate(Candidate.fromSdp(near));
		await agent.addRemoteCandidate(undefined);
		agent.onData.subscribe((bytes) => this.#socket.send(bytes, this.#programPort, HOST, gone));
		this.#socket.on("message", (bytes) => void agent.send(bytes).catch(gone));
		await agent.connect();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#agent.close();
		await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
	}
}

/** What one side has left is a packet that is lost. */
function gone(): void {}
