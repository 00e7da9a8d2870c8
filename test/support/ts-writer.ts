import { crc32 } from "../../media-node/mpegts/section.ts";

/** An elementary stream of a program map. */
export type WrittenStream = {
	readonly pid: number;
	readonly streamType: number;
	readonly descriptors?: readonly number[];
};

const PACKET_BYTES = 188;

/** Writes a transport stream packet by packet, as ISO 13818-1 §2.4 says, for what no encoder at hand makes. */
export class TsWriter {
	readonly #continuity = new Map<number, number>();

	/** Program association and maps; the PID of each map is the key of its program. */
	tables(programs: ReadonlyMap<number, readonly WrittenStream[]>): Uint8Array {
		const pmtPids = [...programs.keys()];
		const pat = pmtPids.flatMap((pid, i) => [0, i + 1, 0xe0 | (pid >> 8), pid & 0xff]);
		const packets = [this.section(0, section(0, 1, pat))];
		for (const [pid, streams] of programs) {
			const map = streams.flatMap(({ pid: stream, streamType, descriptors = [] }) => [
				...[streamType, 0xe0 | (stream >> 8), stream & 0xff, 0xf0, descriptors.length],
				...descriptors,
			]);
			packets.push(this.section(pid, section(2, pmtPids.indexOf(pid) + 1, [0xe1, 0, 0xf0, 0, ...map])));
		}
		return joined(packets);
	}

	/** A section in as many packets as it takes. */
	section(pid: number, bytes: Uint8Array): Uint8Array {
		return this.#packets(pid, Uint8Array.from([0, ...bytes]), false);
	}

	/** A PES packet; `pts` is in ticks of 1/90000 s, and `null` for none. */
	pes(pid: number, pts: number | null, data: Uint8Array, streamId = 0xbd): Uint8Array {
		const time = pts === null ? [] : timestamp(2, pts);
		const length = data.length + 3 + time.length;
		const head = [0, 0, 1, streamId, ...(length > 0xffff ? [0, 0] : [length >> 8, length & 0xff])];
		return this.#packets(
			pid,
			Uint8Array.from([...head, 0x80, pts === null ? 0 : 0x80, time.length, ...time, ...data]),
			true,
		);
	}

	#packets(pid: number, bytes: Uint8Array, exact: boolean): Uint8Array {
		const packets: Uint8Array[] = [];
		for (let at = 0; at < bytes.length; ) {
			const packet = new Uint8Array(PACKET_BYTES).fill(0xff);
			const continuity = ((this.#continuity.get(pid) ?? 15) + 1) & 15;
			this.#continuity.set(pid, continuity);
			const part = bytes.subarray(at, at + PACKET_BYTES - 4);
			// What is too short is filled up by an adaptation field; behind sections comes stuffing anyway.
			const fill = exact ? PACKET_BYTES - 4 - part.length : 0;
			packet.set([0x47, (at === 0 ? 0x40 : 0) | (pid >> 8), pid & 0xff, (fill > 0 ? 0x30 : 0x10) | continuity]);
			if (fill > 0) packet[4] = fill - 1;
			if (fill > 1) packet[5] = 0;
			packet.set(part, 4 + fill);
			packets.push(packet);
			at += part.length;
		}
		return joined(packets);
	}
}

function section(tableId: number, id: number, body: readonly number[]): Uint8Array {
	const length = body.length + 9;
	const bytes = Uint8Array.from([
		tableId,
		0xb0 | (length >> 8),
		length & 0xff,
		id >> 8,
		id & 0xff,
		0xc1,
		0,
		0,
		...body,
	]);
	const crc = crc32(bytes, bytes.length);
	return Uint8Array.from([...bytes, crc >>> 24, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff]);
}

function timestamp(prefix: number, time: number): number[] {
	const [high, middle, low] = [Math.floor(time / 2 ** 30) & 7, Math.floor(time / 2 ** 15) & 0x7fff, time & 0x7fff];
	return [(prefix << 4) | (high << 1) | 1, middle >> 7, ((middle & 0x7f) << 1) | 1, low >> 7, ((low & 0x7f) << 1) | 1];
}

/** One after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
	return new Uint8Array(Buffer.concat(parts));
}
