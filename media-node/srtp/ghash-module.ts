/**
 * The WebAssembly of GHASH: JavaScript has no arithmetic of 128 bits, and node:crypto does not give its own away. Written
 * instruction by instruction, as WebAssembly Core 2.0 §5 encodes it.
 *
 * A block lies in memory as two 64-bit numbers of which the first has the coefficients x^0 to x^63, x^0 being its highest
 * bit. A product with H is the sum of 32 entries of a table: one for each place and value of four bits.
 */

/** Where the sum is that {@link GhashModule.absorb} goes on with: a block in the form of the table. */
export const SUM_AT = 0;
/** Where the table is: 32 places, first those of the lowest four bits, of 16 values, a block each. */
export const TABLE_AT = 256;
export const PLACE_BYTES = 16 * 16;
/** What follows is free for data. */
export const DATA_AT = TABLE_AT + 32 * PLACE_BYTES;

const PAGE_BYTES = 65_536;
const PAGES = 4;
/** All of the memory. */
export const MEMORY_BYTES = PAGES * PAGE_BYTES;

export type GhashModule = {
	readonly memory: Uint8Array;
	/** Completes the table from its entries of 1, 2, 4 and 8. */
	readonly expand: () => void;
	/** Takes blocks as they are on the wire, from `at` up to `end`, into the sum. At least one. */
	readonly absorb: (at: number, end: number) => void;
	/** XORs the blocks from `at` up to `end` with those that begin at `other`. At least one. */
	readonly xor: (at: number, end: number, other: number) => void;
};

/** The part of the interface of WebAssembly that is used: no library of types without a browser has it. */
declare const WebAssembly: {
	readonly Module: new (bytes: Uint8Array) => object;
	readonly Instance: new (module: object) => { readonly exports: object };
};

const [I32, I64, V128] = [0x7f, 0x7e, 0x7b];
const NO_RESULT = 0x40;
const LITTLE_NUMBERS = [7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8];

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const constant = (value: number) => [0x41, ...signed(value)];
const load = (offset: number) => [0xfd, 0x00, 0x00, ...unsigned(offset)];
const store = (offset: number) => [0xfd, 0x0b, 0x00, ...unsigned(offset)];
const add = [0x6a];
const isBelow = [0x49];
const xor = [0xfd, 0x51];
const lane = (index: number) => [0xfd, 0x1d, index];
const shuffle = (lanes: readonly number[]) => [0xfd, 0x0d, ...lanes];
/** Runs `body` as long as it leaves something other than 0. */
const repeat = (body: readonly number[]) => [0x03, NO_RESULT, ...body, 0x0d, 0x00, 0x0b];
/** `local` + `bytes` < `end`, and `local` is moved. */
const advance = (local: number, bytes: number, end: readonly number[]) => [
	...[...get(local), ...constant(bytes), ...add, 0x22, local],
	...[...end, ...isBelow],
];

/** Compiles it, which takes less than a millisecond. */
export function ghashModule(): GhashModule {
	const none = [0x60, 0, 0];
	const two = [0x60, 2, I32, I32, 0];
	const three = [0x60, 3, I32, I32, I32, 0];
	const bytes = [
		...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
		...section(1, vector([none, two, three])),
		...section(3, vector([[0], [1], [2]])),
		...section(5, vector([[0x00, PAGES]])),
		...section(
			7,
			vector([exported("memory", 2, 0), exported("expand", 0, 0), exported("absorb", 0, 1), exported("xor", 0, 2)]),
		),
		...section(10, vector([expandBody(), absorbBody(), xorBody()].map(sized))),
	];
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)));
	const { memory, ...functions } = exports as Omit<GhashModule, "memory"> & { memory: { buffer: ArrayBuffer } };
	return { ...functions, memory: new Uint8Array(memory.buffer) };
}

function expandBody(): number[] {
	const at = 0;
	const entry = (index: number) => TABLE_AT + index * 16;
	const sums = [3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15].flatMap((index) => {
		const low = index & -index;
		return [
			...get(at),
			...get(at),
			...load(entry(low)),
			...get(at),
			...load(entry(index - low)),
			...xor,
			...store(entry(index)),
		];
	});
	const more = advance(at, PLACE_BYTES, constant(32 * PLACE_BYTES));
	return [1, 1, I32, ...repeat([...sums, ...more]), 0x0b];
}

function absorbBody(): number[] {
	const [at, end, sum, high, low] = [0, 1, 2, 3, 4];
	/** The entry of the four bits at one place: they are moved to bits 4 to 7, as an entry has 16 bytes. */
	const entry = (local: number, place: number) => {
		const bit = 4 * (place % 16);
		const moved = bit === 0 ? [0x42, 4, 0x86] : [0x42, ...signed(bit - 4), 0x88];
		return [...get(local), ...moved, 0x42, ...signed(0xf0), 0x83, 0xa7, ...load(TABLE_AT + place * PLACE_BYTES)];
	};
	const places = Array.from({ length: 32 }, (_, place) => entry(place < 16 ? low : high, place));
	// Four chains of eight, which the processor follows side by side.
	const chain = (first: number) =>
		places.slice(first, first + 8).flatMap((code, i) => (i === 0 ? code : [...code, ...xor]));
	const product = [...chain(0), ...chain(8), ...xor, ...chain(16), ...chain(24), ...xor, ...xor];
	const body = [
		// A shuffle takes two blocks, of which the second one is not looked at.
		...[...get(at), ...load(0), ...get(sum), ...shuffle(LITTLE_NUMBERS), ...get(sum), ...xor, ...set(sum)],
		...[...get(sum), ...lane(0), ...set(high), ...get(sum), ...lane(1), ...set(low)],
		...[...product, ...set(sum)],
		...advance(at, 16, get(end)),
	];
	const begin = [...constant(SUM_AT), ...load(0), ...set(sum)];
	const finish = [...constant(SUM_AT), ...get(sum), ...store(0)];
	return [2, 1, V128, 2, I64, ...begin, ...repeat(body), ...finish, 0x0b];
}

function xorBody(): number[] {
	const [at, end, other] = [0, 1, 2];
	const body = [
		...[...get(at), ...get(at), ...load(0), ...get(other), ...load(0), ...xor, ...store(0)],
		...[...get(other), ...constant(16), ...add, ...set(other)],
		...advance(at, 16, get(end)),
	];
	return [0, ...repeat(body), 0x0b];
}

function section(id: number, content: readonly number[]): number[] {
	return [id, ...sized(content)];
}

function sized(content: readonly number[]): number[] {
	return [...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
	return [...unsigned(items.length), ...items.flat()];
}

function exported(name: string, kind: number, index: number): number[] {
	return [...sized([...Buffer.from(name, "latin1")]), kind, index];
}

/** LEB128, WebAssembly Core 2.0 §5.2.2. */
function unsigned(value: number): number[] {
	return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** Of a value that is not negative. */
function signed(value: number): number[] {
	return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)];
}
