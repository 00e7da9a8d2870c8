import { ProtocolError } from "#shared/problem.ts";
import { parseAdtsHeader } from "../codecs/aac.ts";
import { opusSamples } from "../codecs/opus.ts";
import { OPUS_PACKET_BYTES, PACKET_SAMPLES, type TargetCodec } from "./ffmpeg-arguments.ts";

/** The longest header of ADTS. */
const ADTS_HEADER_BYTES = 9;

/** Cuts what the program writes into packets. */
export class PacketCutter {
	readonly #to: TargetCodec;
	readonly #channels: 1 | 2;
	/** The beginning of a packet: less than one, which 13 bits or a constant bound. */
	#rest: Uint8Array = new Uint8Array(0);

	constructor(to: TargetCodec, channels: 1 | 2) {
		this.#to = to;
		this.#channels = channels;
	}

	/**
	 * The packets that are whole with `bytes`, cut anywhere. They are views of it where they can be.
	 * @throws ProtocolError `bytes.malformed`: these are no packets of the codec
	 */
	push(bytes: Uint8Array): Uint8Array[] {
		const all = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
		const packets: Uint8Array[] = [];
		let at = 0;
		for (;;) {
			const length = this.#to === "Opus" ? this.#takeOpus(all, at, packets) : takeAdts(all, at, packets);
			if (length === 0) break;
			at += length;
		}
		this.#rest = all.slice(at);
		return packets;
	}

	/** Packets at a constant bit rate are of one length, and need nothing between them. */
	#takeOpus(bytes: Uint8Array, at: number, packets: Uint8Array[]): number {
		const length = OPUS_PACKET_BYTES[this.#channels - 1] ?? 0;
		if (at + length > bytes.length) return 0;
		const packet = bytes.subarray(at, at + length);
		if (opusSamples(packet) !== PACKET_SAMPLES.Opus) {
			throw new ProtocolError("bytes.malformed", "The transcoder gave something that is no packet of Opus of 20 ms");
		}
		packets.push(packet);
		return length;
	}
}

function takeAdts(bytes: Uint8Array, at: number, packets: Uint8Array[]): number {
	if (at + ADTS_HEADER_BYTES > bytes.length) return 0;
	const { headerBytes, frameBytes } = parseAdtsHeader(bytes, at);
	if (at + frameBytes > bytes.length) return 0;
	packets.push(bytes.subarray(at + headerBytes, at + frameBytes));
	return frameBytes;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(a.length + b.length);
	bytes.set(a);
	bytes.set(b, a.length);
	return bytes;
}
