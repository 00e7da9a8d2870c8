/** WHIP and WHEP from the side of a client that is no browser, RFC 9725. */

/** A session of the node: what it answered, and how to end it. */
export type WhipSession = AsyncDisposable & { readonly answer: string };

/** Posts an offer; fails with what the server says unless it begins a session. */
export async function postOffer(url: string, offer: string): Promise<WhipSession> {
	const headers = { "content-type": "application/sdp" };
	const response = await fetch(url, { method: "POST", headers, body: offer });
	const answer = await response.text();
	if (response.status !== 201) throw new Error(`${url} answers ${response.status} ${answer}`);
	const session = new URL(response.headers.get("location") ?? "", response.url);
	return {
		answer,
		[Symbol.asyncDispose]: async () => {
			// The node may have ended it already, or itself.
			await fetch(session, { method: "DELETE" }).catch(() => undefined);
		},
	};
}

export type OfferedMedia = {
	readonly kind: "video" | "audio";
	readonly payloadType: number;
	/** As `a=rtpmap` has it. */
	readonly encoding: string;
	readonly fmtp: string;
	/** Of what is sent; `null` for a reader. */
	readonly ssrc: number | null;
};

export type OfferedTransport = {
	readonly ufrag: string;
	readonly pwd: string;
	/** SHA-256 of the certificate, in pairs of hexadecimal digits. */
	readonly fingerprint: string;
};

/** An offer of one codec for each media, bundled, without candidates: the node waits to be asked. */
export function writeOffer(transport: OfferedTransport, media: readonly OfferedMedia[]): string {
	const sections = media.map(({ kind, payloadType, encoding, fmtp, ssrc }, mid) => [
		`m=${kind} 9 UDP/TLS/RTP/SAVPF ${payloadType}`,
		"c=IN IP4 0.0.0.0",
		`a=mid:${mid}`,
		ssrc === null ? "a=recvonly" : "a=sendonly",
		"a=rtcp-mux",
		`a=rtpmap:${payloadType} ${encoding}`,
		`a=fmtp:${payloadType} ${fmtp}`,
		...(kind === "video" ? [`a=rtcp-fb:${payloadType} nack`, `a=rtcp-fb:${payloadType} nack pli`] : []),
		...(ssrc === null ? [] : [`a=ssrc:${ssrc} cname:peer`]),
		`a=ice-ufrag:${transport.ufrag}`,
		`a=ice-pwd:${transport.pwd}`,
		`a=fingerprint:sha-256 ${transport.fingerprint}`,
		"a=setup:actpass",
	]);
	const group = `a=group:BUNDLE ${media.map((_, mid) => mid).join(" ")}`;
	return `${["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", group, ...sections.flat()].join("\r\n")}\r\n`;
}

/** The values of an attribute in a description, in the order of its sections. */
export function attributes(sdp: string, name: string): string[] {
	return [...sdp.matchAll(new RegExp(`^a=${name}:(.*?)\\r?$`, "gm"))].map(([, value]) => value ?? "");
}
