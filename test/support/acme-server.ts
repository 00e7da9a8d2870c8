import { randomBytes, webcrypto } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";
import { calculateJwkThumbprint, type FlattenedJWSInput, flattenedVerify, importJWK, type JWK } from "jose";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

type Identifier = { readonly type: string; readonly value: string };
type Order = {
	status: string;
	readonly identifiers: readonly Identifier[];
	readonly profile: string | null;
	readonly token: string;
	thumbprint: string;
	chain: string;
	fault: string;
};

export type AcmeServerOptions = {
	/** Where challenges are looked at, in place of port 80 of each name. */
	readonly challengePort: number;
	/** How long certificates live, in milliseconds. */
	readonly lifeMs: number;
	/** This many requests are told that their nonce is bad. */
	readonly badNonces?: number;
	readonly now: () => number;
};

/**
 * An authority of RFC 8555 on the loopback: it checks nonces, signatures, addresses and challenges, and signs. One
 * authorization for each order.
 */
export class AcmeServer implements AsyncDisposable {
	readonly #server: http.Server;
	readonly #options: AcmeServerOptions;
	readonly #keys: webcrypto.CryptoKeyPair;
	readonly #nonces = new Set<string>();
	readonly #accounts = new Map<string, JWK>();
	#badNonces: number;
	readonly orders: Order[] = [];
	/** What was asked for, `POST /order` and so on. */
	readonly requests: string[] = [];
	/** Requests that break a rule. */
	readonly faults: string[] = [];
	/** Answers every order so, while it is not empty. */
	refusal = "";

	private constructor(server: http.Server, options: AcmeServerOptions, keys: webcrypto.CryptoKeyPair) {
		this.#server = server;
		this.#options = options;
		this.#keys = keys;
		this.#badNonces = options.badNonces ?? 0;
		server.on("request", (request, response) => void this.#answer(request, response));
	}

	static async open(options: AcmeServerOptions): Promise<AcmeServer> {
		const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
		const server = http.createServer();
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		return new AcmeServer(server, options, keys);
	}

	get directory(): string {
		return `${this.#origin}/directory`;
	}

	get #origin(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
		const address = this.#origin + (request.url ?? "");
		this.requests.push(`${request.method} ${request.url}`);
		const nonce = randomBytes(16).toString("base64url");
		this.#nonces.add(nonce);
		response.setHeader("replay-nonce", nonce);
		const say = (status: number, body: unknown, headers: Record<string, string> = {}) =>
			response
				.writeHead(status, { "content-type": "application/json", ...headers })
				.end(typeof body === "string" ? body : JSON.stringify(body));
		try {
			if (request.method !== "POST") {
				say(200, request.url === "/directory" ? this.#directory() : "");
				return;
			}
			const { payload, key, kid } = await this.#opened(request, address);
			const [, what = "", id = ""] = (request.url ?? "").split("/");
			if (what === "account") {
				const location = `${this.#origin}/account/${await calculateJwkThumbprint(key)}`;
				this.#accounts.set(location, key);
				say(201, { status: "valid" }, { location });
				return;
			}
			if (kid === null) throw new AcmeFault(400, "malformed", "This needs an account");
			if (what === "order" && id === "") {
				if (this.refusal !== "") throw new AcmeFault(403, "rejectedIdentifier", this.refusal);
				const { identifiers, profile = null } = payload as { identifiers: Identifier[]; profile?: string };
				const token = randomBytes(32).toString("base64url");
				const thumbprint = await calculateJwkThumbprint(key);
				this.orders.push({ status: "pending", identifiers, profile, token, thumbprint, chain: "", fault: "" });
				say(201, this.#orderOf(this.orders.length - 1), {
					location: `${this.#origin}/order/${this.orders.length - 1}`,
				});
				return;
			}
			const order = this.orders[Number(id)];
			if (order === undefined) throw new AcmeFault(404, "malformed", "There is no such order");
			if (what === "challenge") await this.#validate(order);
			if (what === "finalize") await this.#sign(order, (payload as { csr: string }).csr);
			if (what === "certificate") say(200, order.chain);
			else if (what === "authorization" || what === "challenge") say(200, this.#authorizationOf(Number(id)));
			else say(200, this.#orderOf(Number(id)));
		} catch (error) {
			const { status, type, message } =
				error instanceof AcmeFault ? error : new AcmeFault(500, "serverInternal", String(error));
			if (type !== "badNonce" && type !== "rejectedIdentifier") this.faults.push(`${request.url}: ${message}`);
			say(status, { type: `urn:ietf:params:acme:error:${type}`, detail: message });
		}
	}

	#directory() {
		const at = (name: string) => `${this.#origin}/${name}`;
		const profiles = { classic: "90 days", shortlived: "6 days" };
		return { newNonce: at("nonce"), newAccount: at("account"), newOrder: at("order"), meta: { profiles } };
	}

	/** RFC 8555 §6.2 to §6.5. */
	async #opened(request: http.IncomingMessage, address: string) {
		let text = "";
		for await (const chunk of request) text += String(chunk);
		if (request.headers["content-type"] !== "application/jose+json")
			throw new AcmeFault(415, "malformed", "The content type is not application/jose+json");
		let key: JWK | undefined;
		let kid: string | null = null;
		const { payload, protectedHeader } = await flattenedVerify(
			JSON.parse(text) as FlattenedJWSInput,
			async (header) => {
				kid = header?.kid ?? null;
				key = kid === null ? (header?.jwk as JWK | undefined) : this.#accounts.get(kid);
				if (key === undefined) throw new AcmeFault(400, "accountDoesNotExist", "Nobody knows this account");
				return importJWK(key, "ES256");
			},
		);
		if (protectedHeader?.["url"] !== address)
			throw new AcmeFault(401, "unauthorized", "The signature is of another url");
		const nonce = String(protectedHeader["nonce"]);
		if (this.#badNonces-- > 0 || !this.#nonces.delete(nonce)) throw new AcmeFault(400, "badNonce", "The nonce is old");
		if (key === undefined) throw new AcmeFault(400, "malformed", "There is no key");
		if (key.d !== undefined) throw new AcmeFault(400, "malformed", "The private key was sent");
		const body = new TextDecoder().decode(payload);
		return { payload: body === "" ? null : (JSON.parse(body) as unknown), key, kid: kid as string | null };
	}

	/** RFC 8555 §8.3: asks for the challenge, as the authority would on port 80. */
	async #validate(order: Order): Promise<void> {
		const address = `http://127.0.0.1:${this.#options.challengePort}/.well-known/acme-challenge/${order.token}`;
		const text = await fetch(address).then(
			async (answer) => `${answer.status} ${await answer.text()}`,
			(error: unknown) => String(error),
		);
		if (text === `200 ${order.token}.${order.thumbprint}`) order.status = "ready";
		else {
			order.status = "invalid";
			order.fault = text;
		}
	}

	async #sign(order: Order, csr: string): Promise<void> {
		const request = new Pkcs10CertificateRequest(Buffer.from(csr, "base64url"));
		if (!(await request.verify())) throw new AcmeFault(400, "badCSR", "The request is not signed by its key");
		const alternative = request.extensions.find((extension) => extension instanceof SubjectAlternativeNameExtension);
		if (alternative === undefined) throw new AcmeFault(400, "badCSR", "The request is for no name");
		const names = alternative.names.toJSON();
		if (JSON.stringify(names) !== JSON.stringify(order.identifiers))
			throw new AcmeFault(400, "badCSR", `The request is for ${JSON.stringify(names)}`);
		const nowMs = this.#options.now();
		const certificate = await X509CertificateGenerator.create({
			subject: "",
			issuer: "CN=Test authority",
			notBefore: new Date(nowMs),
			notAfter: new Date(nowMs + this.#options.lifeMs),
			publicKey: request.publicKey,
			signingKey: this.#keys.privateKey,
			signingAlgorithm: ALGORITHM,
			extensions: [alternative],
		});
		order.chain = `${certificate.toString("pem")}\n`;
		order.status = "valid";
	}

	#orderOf(id: number) {
		const order = this.orders[id];
		const certificate = order?.status === "valid" ? { certificate: `${this.#origin}/certificate/${id}` } : {};
		return {
			status: order?.status,
			identifiers: order?.identifiers,
			authorizations: [`${this.#origin}/authorization/${id}`],
			finalize: `${this.#origin}/finalize/${id}`,
			...certificate,
		};
	}

	#authorizationOf(id: number) {
		const order = this.orders[id];
		const isPending = order?.status === "pending";
		const isInvalid = order?.status === "invalid";
		const error = { type: "urn:ietf:params:acme:error:connection", detail: order?.fault ?? "" };
		const http01 = { type: "http-01", url: `${this.#origin}/challenge/${id}`, token: order?.token };
		return {
			status: isPending ? "pending" : isInvalid ? "invalid" : "valid",
			identifier: order?.identifiers[0],
			challenges: [
				{ type: "tls-alpn-01", url: `${this.#origin}/other/${id}`, status: "pending", token: order?.token },
				{ ...http01, status: isPending ? "pending" : isInvalid ? "invalid" : "valid", ...(isInvalid ? { error } : {}) },
			],
		};
	}
}

class AcmeFault extends Error {
	readonly status: number;
	readonly type: string;

	constructor(status: number, type: string, message: string) {
		super(message);
		this.status = status;
		this.type = type;
	}
}
