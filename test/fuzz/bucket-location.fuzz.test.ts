import fc from "fast-check";
import { expect, it } from "vitest";
import { InputError } from "#shared/problem.ts";
import { parseBucketLocation } from "#shared/store/bucket-location.ts";
import { assertObjectKey } from "#shared/store/object-key.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20261121);
const pieces = fc.constantFrom(
	..."s3:// file: memory: my-bucket / ? & # @ : = % %00 %2e%2e .. region endpoint pathStyle true https:// [::1] é 🎥 \0 \ud800".split(
		" ",
	),
);

it("reads any text as a location that holds what it promises, or refuses it", () => {
	fc.assert(
		fc.property(
			fc.oneof(
				fc.array(fc.oneof(pieces, fc.string({ maxLength: 4 })), { maxLength: 12 }).map((parts) => parts.join("")),
				fc.array(pieces, { maxLength: 12 }).map((parts) => `s3://my-bucket/${parts.join("")}`),
			),
			(text) => {
				try {
					const location = parseBucketLocation(text);
					if (location.kind === "folder") expect(location.root).not.toMatch(/^$|\0/);
					if (location.kind !== "s3") return;
					expect(location.bucket).toMatch(/^[a-z0-9.-]{3,63}$/);
					if (location.prefix !== "") assertObjectKey(location.prefix);
					if (location.endpoint !== null) expect(new URL(location.endpoint).protocol).toMatch(/^https?:$/);
				} catch (error) {
					if (!(error instanceof InputError)) throw error;
				}
			},
		),
		{ seed, numRuns: 20_000 },
	);
});
