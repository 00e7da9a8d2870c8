/** Forward error correction in offers and answers: payload types that protect media rather than being some. Pure. */

import { numberOf, parseFmtp } from "../../rtp/fmtp.ts";
import type { OfferedFormat } from "./offered-format.ts";
import type { MediaSection, PayloadType } from "./sdp.ts";

/** RFC 5109 in packets of RFC 2198, among those of the media. */
export type UlpfecFormat = {
	/** Of all packets, media too. */
	readonly red: number;
	/** Of retransmissions of those; `null` when there are none. */
	readonly redRtx: number | null;
	/** Within the packets. */
	readonly ulpfec: number;
};

/** How a track is protected, as it was agreed upon. `null`: not that way. */
export type FecFormat = {
	readonly ulpfec: UlpfecFormat | null;
	/** The payload type of draft-ietf-payload-flexible-fec-scheme-03, whose packets have an SSRC of their own. */
	readonly flexfec: number | null;
};

/** An agreement, and what tells the peer of it. */
export type AgreedFec = { readonly format: FecFormat; readonly payloadTypes: PayloadType[] };

/** libwebrtc asks for a window and makes nothing of it: 10 s, in microseconds. */
const FLEXFEC_FMTP = "repair-window=10000000";

/** What a publisher may protect its media with: all that it offers. `null` when that is nothing. */
export function publishedFec(section: MediaSection): AgreedFec | null {
	return agreed(ulpfecOf(section), flexfecOf(section));
}

/**
 * What a viewer is sent with a format: FlexFEC if it takes that, for the media stay as they are; otherwise ULPFEC, and only
 * where what is lost is sent again in packets of another source, for what is sent twice must not differ (RFC 3711 §9.1).
 */
export function sentFec(section: MediaSection, { rtx }: OfferedFormat): AgreedFec | null {
	const flexfec = flexfecOf(section);
	return agreed(flexfec === null && rtx !== null ? ulpfecOf(section) : null, flexfec);
}

type Ulpfec = { readonly red: PayloadType; readonly redRtx: PayloadType | null; readonly ulpfec: PayloadType };

function ulpfecOf(section: MediaSection): Ulpfec | null {
	const red = namedOf(section, "red");
	const ulpfec = namedOf(section, "ulpfec");
	if (red === null || ulpfec === null) return null;
	const isRtx = ({ encoding, fmtp }: PayloadType) =>
		/^rtx\//i.test(encoding) && numberOf(parseFmtp(fmtp), "apt", -1) === red.payloadType;
	return { red, ulpfec, redRtx: section.payloadTypes.find(isRtx) ?? null };
}

function flexfecOf(section: MediaSection): PayloadType | null {
	return namedOf(section, "flexfec-03");
}

/** Redundant audio is another thing, and has the clock of audio. */
function namedOf({ kind, payloadTypes }: MediaSection, name: string): PayloadType | null {
	if (kind !== "video") return null;
	return payloadTypes.find(({ encoding }) => encoding.toLowerCase() === `${name}/90000`) ?? null;
}

const isKnown = (feedback: string) => feedback === "transport-cc";

function agreed(ulpfec: Ulpfec | null, flexfec: PayloadType | null): AgreedFec | null {
	if (ulpfec === null && flexfec === null) return null;
	const bare = (type: PayloadType) => ({ ...type, feedback: [] });
	const payloadTypes = ulpfec === null ? [] : [ulpfec.red, ulpfec.redRtx, ulpfec.ulpfec].flatMap((type) => type ?? []);
	return {
		format: {
			ulpfec:
				ulpfec === null
					? null
					: {
							red: ulpfec.red.payloadType,
							redRtx: ulpfec.redRtx?.payloadType ?? null,
							ulpfec: ulpfec.ulpfec.payloadType,
						},
			flexfec: flexfec?.payloadType ?? null,
		},
		payloadTypes: [
			...payloadTypes.map(bare),
			...(flexfec === null ? [] : [{ ...flexfec, fmtp: FLEXFEC_FMTP, feedback: flexfec.feedback.filter(isKnown) }]),
		],
	};
}
