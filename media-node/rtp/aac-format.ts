import { numberOf, parseFmtp } from "./fmtp.ts";

/** How the payload of RFC 3640 is laid out. */
export type AacFormat = {
	/** Bits of the size, and of the index, in each AU header. */
	readonly sizeBits: number;
	readonly indexBits: number;
	readonly indexDeltaBits: number;
};

/** High bit-rate AAC, RFC 3640 §3.3.6: what everybody sends. */
export const AAC_HBR: AacFormat = { sizeBits: 13, indexBits: 3, indexDeltaBits: 3 };

/** What an AU header may have in front of or behind size and index. Nobody sends audio with any of them. */
const UNSUPPORTED = [
	"ctsdeltalength",
	"dtsdeltalength",
	"randomaccessindication",
	"streamstateindication",
	"auxiliarydatasizelength",
	"constantsize",
];

/** The layout that an `a=fmtp` tells, RFC 3640 §4.1; `null` for one that is not supported. */
export function aacFormatOf(fmtp: string): AacFormat | null {
	const parameters = parseFmtp(fmtp);
	if (UNSUPPORTED.some((name) => numberOf(parameters, name, 0) !== 0)) return null;
	const format = {
		sizeBits: numberOf(parameters, "sizelength", 0),
		indexBits: numberOf(parameters, "indexlength", 0),
		indexDeltaBits: numberOf(parameters, "indexdeltalength", 0),
	};
	const fits = format.sizeBits >= 1 && format.sizeBits <= 16 && format.indexBits <= 8 && format.indexDeltaBits <= 8;
	return fits ? format : null;
}
