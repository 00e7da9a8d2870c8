import { ByteReader } from "../../media-node/bytes/byte-reader.ts";

export type ReadBox = { readonly type: string; readonly body: Uint8Array; readonly offset: number };

/** The boxes of a file or of a box's body, in order. */
export function readBoxes(bytes: Uint8Array): ReadBox[] {
	const r = new ByteReader(bytes);
	const boxes: ReadBox[] = [];
	while (r.remaining > 0) {
		const offset = r.offset;
		const size = r.u32();
		boxes.push({ type: r.latin1(4), body: r.bytes(size - 8), offset });
	}
	return boxes;
}

/** The body of the box at `path`, such as `moof/traf/tfdt`. */
export function findBox(bytes: Uint8Array, path: string): Uint8Array {
	let body = bytes;
	for (const type of path.split("/")) {
		const box = readBoxes(body).find((each) => each.type === type);
		if (box === undefined) throw new Error(`There is no ${type} of ${path}`);
		body = box.body;
	}
	return body;
}

export type ReadSample = {
	readonly dts: number;
	readonly pts: number;
	readonly duration: number;
	readonly sync: boolean;
	readonly data: Uint8Array;
};

export type ReadFragment = {
	readonly sequence: number;
	readonly decodeTime: number;
	/** Where the last sample ends, in ticks. */
	readonly end: number;
	readonly samples: readonly ReadSample[];
};

/** Reads a segment of one movie fragment with one run of samples, and checks that its offsets and sizes agree. */
export function readFragment(segment: Uint8Array): ReadFragment {
	const boxes = readBoxes(segment);
	const types = boxes.map(({ type }) => type).join(" ");
	if (types !== "styp moof mdat") throw new Error(`The segment is ${types}`);
	const moof = boxes[1]!;
	const mdat = boxes[2]!;
	const sequence = new ByteReader(findBox(moof.body, "mfhd"), 4).u32();
	const decodeTime = new ByteReader(findBox(moof.body, "traf/tfdt"), 4).u64();
	const r = new ByteReader(findBox(moof.body, "traf/trun"));
	const version = r.u8();
	const flags = r.u24();
	const count = r.u32();
	if (version !== 1 || (flags & 0x301) !== 0x301) throw new Error(`The run is of version ${version}, flags ${flags}`);
	let at = moof.offset + r.u32();
	if (at !== mdat.offset + 8) throw new Error(`The run's data is at ${at}, the media at ${mdat.offset + 8}`);
	let dts = decodeTime;
	const samples: ReadSample[] = [];
	for (let i = 0; i < count; i++) {
		const duration = r.u32();
		const size = r.u32();
		const sync = (flags & 0x400) === 0 || (r.u32() & 0x1_0000) === 0;
		const pts = dts + ((flags & 0x800) === 0 ? 0 : r.u32() | 0);
		samples.push({ dts, pts, duration, sync, data: segment.subarray(at, at + size) });
		dts += duration;
		at += size;
	}
	r.expectEnd("The run");
	if (at !== segment.length) throw new Error(`The samples end at ${at} of ${segment.length}`);
	return { sequence, decodeTime, end: dts, samples };
}
