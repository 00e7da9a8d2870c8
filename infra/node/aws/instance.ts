/** What an EC2 instance says of itself (IMDSv2), https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */

import type { AwsFetch, Credentials } from "./signed-call.ts";

export type Identity = { readonly instanceId: string; readonly region: string };

const BASE = "http://169.254.169.254";
const TOKEN_SECONDS = 21_600;
/** A token is asked for anew well before it ends. */
const TOKEN_USE_MS = (TOKEN_SECONDS - 600) * 1000;
const TIMEOUT_MS = 2_000;
const MAX_CHARS = 64 * 1024;

/** The instance that this process runs on. */
export class Instance {
	readonly #fetch: AwsFetch;
	readonly #monotonic: () => number;
	#token: { readonly text: string; readonly untilMs: number } | null = null;

	constructor(fetch: AwsFetch, monotonic: () => number) {
		this.#fetch = fetch;
		this.#monotonic = monotonic;
	}

	async identity(): Promise<Identity> {
		const document = JSON.parse(await this.#need("dynamic/instance-identity/document")) as Identity;
		return { instanceId: document.instanceId, region: document.region };
	}

	/** Those of the instance's role. AWS changes them some hours before they end, so they are asked for at each use. */
	async credentials(): Promise<Credentials> {
		const folder = "meta-data/iam/security-credentials/";
		const role = (await this.#need(folder)).trim().split("\n", 1)[0] ?? "";
		const given = JSON.parse(await this.#need(folder + role)) as {
			AccessKeyId: string;
			SecretAccessKey: string;
			Token: string;
		};
		return { accessKeyId: given.AccessKeyId, secretAccessKey: given.SecretAccessKey, sessionToken: given.Token };
	}

	/** The address that clients reach; `null` for an instance without one. */
	async publicAddress(): Promise<string | null> {
		return (await this.#get("meta-data/public-ipv4"))?.trim() || null;
	}

	/** What the group wants this instance to become, such as `InService` or `Terminated`; `null` outside of a group. */
	async targetState(): Promise<string | null> {
		return (await this.#get("meta-data/autoscaling/target-lifecycle-state"))?.trim() ?? null;
	}

	async #need(name: string): Promise<string> {
		const text = await this.#get(name);
		if (text === null) throw new Error(`The instance metadata has no ${name}`);
		return text;
	}

	async #get(name: string): Promise<string | null> {
		const response = await this.#ask("GET", `/latest/${name}`, { "x-aws-ec2-metadata-token": await this.#session() });
		const text = (await response.text()).slice(0, MAX_CHARS);
		if (response.status === 404) return null;
		if (!response.ok) throw new Error(`The instance metadata answered ${response.status} for ${name}`);
		return text;
	}

	async #session(): Promise<string> {
		if (this.#token === null || this.#token.untilMs < this.#monotonic()) {
			const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": String(TOKEN_SECONDS) };
			const response = await this.#ask("PUT", "/latest/api/token", ttl);
			if (!response.ok) throw new Error(`The instance metadata gave no token: it answered ${response.status}`);
			this.#token = { text: await response.text(), untilMs: this.#monotonic() + TOKEN_USE_MS };
		}
		return this.#token.text;
	}

	#ask(method: string, path: string, headers: Record<string, string>): Promise<Response> {
		return this.#fetch(BASE + path, { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
	}
}
