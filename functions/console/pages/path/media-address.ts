/** Addresses of media with a token or stream key in them. Pure. */

/** What stands for the user where a protocol wants one beside the secret. */
const USER = "key";

/**
 * The address with a credential where clients of its protocol carry it: the query, or for SRT the stream id
 * (`publish:path:user:password`). An empty credential changes nothing. Hosts stay as they are, IPv6 in brackets too.
 */
export function withCredential(address: string, credential: string): string {
	if (credential === "") return address;
	const secret = encodeURIComponent(credential);
	if (/^srt:/i.test(address)) return address.replace(/([?&]streamid=[^&#]*)/i, (id) => `${id}:${USER}:${secret}`);
	const [, before = "", fragment = ""] = /^([^#]*)(.*)$/s.exec(address) ?? [];
	return `${before}${before.includes("?") ? "&" : "?"}token=${secret}${fragment}`;
}

/** Host and port as they stand in an address; `null` when there is none. */
export function authorityOf(address: string): string | null {
	return /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]+)/i.exec(address)?.[1] ?? null;
}

/** Of an RTMP address, what encoders want in two fields: server, and stream key with the credential in it. */
export function rtmpFields(address: string, credential: string): { server: string; streamKey: string } {
	const full = withCredential(address, credential);
	const [, server = full, streamKey = ""] = /^([a-z]+:\/\/[^/]+)\/(.*)$/is.exec(full) ?? [];
	return { server, streamKey };
}
