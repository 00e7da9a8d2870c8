import { ByteReader } from "../../bytes/byte-reader.ts";

/** What an `esds` box says of a stream, ISO 14496-1 §7.2.6.6. */
export type DecoderConfig = {
	/** `objectTypeIndication`, table 5. */
	readonly objectType: number;
	/** `DecoderSpecificInfo`; empty when there is none. */
	readonly specific: Uint8Array;
};

const ES_DESCRIPTOR = 3;
const DECODER_CONFIG = 4;
const DECODER_SPECIFIC_INFO = 5;
/** Bytes of a decoder configuration before its descriptors. */
const DECODER_CONFIG_BYTES = 13;

/**
 * Parses the body of an `esds` box; `null` when there is no decoder configuration in it.
 *
 * @throws ProtocolError `bytes.truncated`
 */
export function parseEsds(body: Uint8Array): DecoderConfig | null {
	const r = new ByteReader(body);
	r.skip(4); // version, flags
	const es = descriptor(r, ES_DESCRIPTOR);
	if (es === null) return null;
	es.skip(2); // ES_ID
	const flags = es.u8();
	if ((flags & 0x80) !== 0) es.skip(2); // dependsOn_ES_ID
	if ((flags & 0x40) !== 0) es.skip(es.u8()); // URL
	if ((flags & 0x20) !== 0) es.skip(2); // OCR_ES_Id
	const config = descriptor(es, DECODER_CONFIG);
	if (config === null) return null;
	const objectType = config.u8();
	config.skip(DECODER_CONFIG_BYTES - 1);
	const specific = descriptor(config, DECODER_SPECIFIC_INFO);
	return { objectType, specific: specific === null ? new Uint8Array(0) : specific.bytes(specific.remaining).slice() };
}

/** The body of the next descriptor of `tag`, §8.3.3; `null` when there is none. */
function descriptor(r: ByteReader, tag: number): ByteReader | null {
	while (r.remaining > 0) {
		const found = r.u8();
		let size = 0;
		for (let more = true, count = 0; more && count < 4; count++) {
			const byte = r.u8();
			size = size * 128 + (byte & 0x7f);
			more = byte >= 0x80;
		}
		const body = r.sub(size);
		if (found === tag) return body;
	}
	return null;
}
