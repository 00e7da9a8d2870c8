import fc from "fast-check";

type Edit = {
	readonly kind: "set" | "flip" | "insert" | "remove" | "cut";
	readonly at: number;
	readonly value: number;
};

/** One of `seeds`, with up to `maxEdits` bytes of it changed, put in or left out, or its end cut off. */
export function mutated(seeds: readonly Uint8Array[], maxEdits = 6): fc.Arbitrary<Uint8Array> {
	const edit = fc.record({
		kind: fc.constantFrom<Edit["kind"]>("set", "flip", "insert", "remove", "cut"),
		at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
		value: fc.oneof(fc.constantFrom(0, 1, 3, 0x7f, 0x80, 0xff), fc.nat(255)),
	});
	return fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: maxEdits })).map(([seed, edits]) => {
		const bytes = [...seed];
		for (const { kind, at, value } of edits) {
			const index = Math.floor(at * bytes.length);
			if (kind === "set") bytes[index] = value;
			else if (kind === "flip") bytes[index] = (bytes[index] ?? 0) ^ (1 << (value & 7));
			else if (kind === "insert") bytes.splice(index, 0, value);
			else if (kind === "remove") bytes.splice(index, 1);
			else bytes.length = Math.max(index, bytes.length >> 1);
		}
		return Uint8Array.from(bytes);
	});
}
