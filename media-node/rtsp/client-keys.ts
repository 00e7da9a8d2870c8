/** The keys of a media that comes as SRTP beside RTSPS: ours, that the source is told, and those that it tells. RFC 4567. */

import { ProtocolError } from "#shared/problem.ts";
import type { RtspResponseMessage } from "./message.ts";
import { keyManagementOf, Opener, Sealer, writeKeyManagement } from "./secure.ts";

/** What we offer with one SETUP. */
export type KeyOffer = {
	/** Encrypts what we send. */
	readonly sealer: Sealer;
	/** Of the request. */
	readonly headers: { readonly KeyMgmt: string };
};

/** A key of our own, for what we send from `ssrc`. `url`: that of the SETUP. */
export function offerKey(url: string, ssrc: number, nowMs: number): KeyOffer {
	const sealer = new Sealer();
	return { sealer, headers: { KeyMgmt: writeKeyManagement(url, sealer.message(ssrc, nowMs)) } };
}

/**
 * Decrypts what the source sends: by the KeyMgmt header of its answer, or else by what its description said, which may
 * be older.
 * @returns `null` when it told no key
 * @throws ProtocolError `rtsp.transport` for keys that cannot be used
 */
export function openerFor(
	{ headers }: Pick<RtspResponseMessage, "headers">,
	described: string | null,
	{ sealer }: KeyOffer,
): Opener | null {
	const message = keyManagementOf(headers.get("keymgmt") ?? "") ?? described;
	if (message === null) return null;
	try {
		return new Opener(message, sealer);
	} catch (cause) {
		if (!(cause instanceof ProtocolError)) throw cause;
		throw new ProtocolError(
			"rtsp.transport",
			`The keys that the source tells for SRTP cannot be used: ${cause.message}. Set rtspTransport to tcp`,
			{ cause },
		);
	}
}
