/** One certificate, from the order to the chain: RFC 8555 §7.4, by challenges of the type http-01, §8.3. */

import type { Clock } from "#shared/clock.ts";
import type { Certificate } from "../http/tls-files.ts";
import { type AcmeClient, type AcmeIdentifier, type AcmeOrder, failed, said } from "./acme-client.ts";
import { createSigningRequest } from "./signing-request.ts";

const POLL_MS = 2_000;
/** Authorities look from several places, and answer within seconds. */
const POLL_TIMEOUT_MS = 120_000;
/** Let's Encrypt certifies addresses for six days only, in a profile of its own. */
const ADDRESS_PROFILE = "shortlived";

export type ObtainOptions = {
	readonly client: AcmeClient;
	readonly identifiers: readonly AcmeIdentifier[];
	/** Shows `text` at `/.well-known/acme-challenge/{token}` from then on. */
	readonly show: (token: string, text: string) => void;
	readonly clock: Clock;
	readonly signal: AbortSignal;
};

/** @throws ProtocolError `acme.failed`; `aborted` */
export async function obtainCertificate(options: ObtainOptions): Promise<Certificate> {
	const { client, identifiers } = options;
	const { address, order } = await client.order(identifiers, profileFor(client, identifiers));
	for (const authorization of order.authorizations) await authorize(authorization, options);
	await orderIs(address, ["ready", "valid"], options);
	const { key, csr } = await createSigningRequest(identifiers);
	await client.finalize(order.finalize, csr);
	const { certificate } = await orderIs(address, ["valid"], options);
	if (certificate === undefined) throw failed("its order has no certificate");
	const cert = await client.certificate(certificate);
	if (!cert.includes("-----BEGIN CERTIFICATE-----")) throw failed("what it gave is no certificate in PEM");
	return { key, cert };
}

function profileFor({ directory }: AcmeClient, identifiers: readonly AcmeIdentifier[]): string | null {
	const isKnown = directory.meta?.profiles?.[ADDRESS_PROFILE] !== undefined;
	return isKnown && identifiers.some(({ type }) => type === "ip") ? ADDRESS_PROFILE : null;
}

async function authorize(address: string, options: ObtainOptions): Promise<void> {
	const { client, show } = options;
	const { status, identifier, challenges } = await client.readAuthorization(address);
	// It can be valid from an order before.
	if (status === "valid") return;
	const challenge = challenges.find(({ type }) => type === "http-01");
	if (challenge?.token === undefined) throw failed(`it takes no http-01 for ${identifier.value}`);
	show(challenge.token, await client.keyAuthorization(challenge.token));
	await client.answer(challenge.url);
	await until(options, async () => {
		const now = await client.readAuthorization(address);
		if (now.status === "valid") return true;
		if (now.status === "pending") return null;
		const reason = said(now.challenges.find(({ error }) => error !== undefined)?.error) ?? now.status;
		throw failed(`it could not reach ${identifier.value} on port 80 (${reason})`);
	});
}

function orderIs(address: string, wanted: readonly AcmeOrder["status"][], options: ObtainOptions): Promise<AcmeOrder> {
	return until(options, async () => {
		const order = await options.client.readOrder(address);
		if (order.status === "invalid") throw failed(said(order.error) ?? "its order is invalid");
		return wanted.includes(order.status) ? order : null;
	});
}

async function until<T>({ clock, signal }: ObtainOptions, look: () => Promise<T | null>): Promise<T> {
	const endMs = clock.monotonic() + POLL_TIMEOUT_MS;
	for (;;) {
		const found = await look();
		if (found !== null) return found;
		if (clock.monotonic() >= endMs) throw failed(`it did not decide within ${POLL_TIMEOUT_MS / 1000} s`);
		await clock.sleep(POLL_MS, signal);
	}
}
