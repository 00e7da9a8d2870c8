/** One signed POST to an API of AWS: Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */

import { createHash, createHmac } from "node:crypto";

export type Credentials = {
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
	readonly sessionToken: string | null;
};

export type Call = {
	/** As the signature names it, such as `autoscaling`. */
	readonly service: string;
	readonly region: string;
	/** https://<service>.<region>.amazonaws.com unless a test says otherwise. */
	readonly endpoint: string;
	/** Beside host and date. In lower case. */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
};

export type AwsFetch = (url: string, init: RequestInit) => Promise<Response>;

const TIMEOUT_MS = 10_000;
/** Answers are some kilobytes. */
const MAX_ANSWER_CHARS = 1024 * 1024;

/** AWS said no. The message has what it said, which names no secret. */
export class AwsError extends Error {
	override readonly name = "AwsError";
	readonly status: number;

	constructor(message: string, status: number) {
		super(message);
		this.status = status;
	}
}

/** Where a service is. China's regions have a domain of their own. */
export function endpointOf(service: string, region: string): string {
	return `https://${service}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

/**
 * Sends a call, and returns the text of the answer.
 * @throws AwsError for an answer that is not 2xx
 */
export async function signedCall(
	call: Call,
	credentials: Credentials,
	nowMs: number,
	fetch: AwsFetch,
): Promise<string> {
	const response = await fetch(`${call.endpoint}/`, {
		method: "POST",
		headers: signedHeaders(call, credentials, nowMs),
		body: call.body,
		signal: AbortSignal.timeout(TIMEOUT_MS),
		redirect: "error",
	});
	const text = (await response.text()).slice(0, MAX_ANSWER_CHARS);
	if (!response.ok)
		throw new AwsError(`${call.service} answered ${response.status}: ${text.slice(0, 500)}`, response.status);
	return text;
}

/** The headers of a call, signed for the time `nowMs`. */
export function signedHeaders(call: Call, credentials: Credentials, nowMs: number): Record<string, string> {
	const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
	const day = time.slice(0, 8);
	const headers: Record<string, string> = {
		...call.headers,
		host: new URL(call.endpoint).host,
		"x-amz-date": time,
		...(credentials.sessionToken === null ? {} : { "x-amz-security-token": credentials.sessionToken }),
	};
	const names = Object.keys(headers).sort();
	const canonical = [
		"POST",
		"/",
		"",
		...names.map((name) => `${name}:${(headers[name] ?? "").trim()}`),
		"",
		names.join(";"),
		sha256(call.body),
	].join("\n");
	const scope = `${day}/${call.region}/${call.service}/aws4_request`;
	const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
	const dayKey = hmac(`AWS4${credentials.secretAccessKey}`, day);
	const key = hmac(hmac(hmac(dayKey, call.region), call.service), "aws4_request");
	const signature = hmac(key, toSign).toString("hex");
	const { host: _, ...sent } = headers;
	const credential = `${credentials.accessKeyId}/${scope}`;
	sent["authorization"] =
		`AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
	return sent;
}

function sha256(text: string): string {
	return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Uint8Array, text: string): Buffer {
	return createHmac("sha256", key).update(text).digest();
}
