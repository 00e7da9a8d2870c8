import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { seededRandom } from "#shared/store/fault-plan.ts";
import { decodeSpoolFile, encodeSpoolFile } from "../../media-node/bucket/spool-file.ts";
import { AUDIO, VIDEO } from "../support/timeline-builders.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const ROUNDS = 20_000;

/** Puts the right checksum and length before a header and a body, so that what lies behind them is reached. */
function framed(header: string, body: Uint8Array): Uint8Array {
	const headerBytes = Buffer.from(`${header}\n`);
	const checksum = crc32(body, crc32(headerBytes)).toString(16).padStart(8, "0");
	return new Uint8Array(
		Buffer.concat([Buffer.from(`sluice-spool 1 ${checksum} ${headerBytes.length}\n`), headerBytes, body]),
	);
}

test(`whatever a spool file holds, it is read or refused (seed ${SEED})`, () => {
	const random = seededRandom(SEED);
	const below = (n: number) => Math.floor(random() * n);
	const bytes = new Uint8Array([1, 2, 3, 4, 5]);
	const [, header] = encodeSpoolFile({
		startMs: 5,
		discontinuity: false,
		parts: [VIDEO, AUDIO].map((rendition) => ({ rendition, init: bytes, initHash: "ab", duration: 2, bytes })),
	});
	const text = Buffer.from(header!).toString().trimEnd();
	const outcomes = new Set<string>();
	for (let round = 0; round < ROUNDS; round++) {
		const mutated = text.split("");
		for (let i = below(4); i > 0; i--) {
			const at = below(mutated.length);
			const what = below(3);
			if (what === 0) mutated.splice(at, 1 + below(8));
			else if (what === 1) mutated[at] = String.fromCharCode(32 + below(95));
			else mutated.splice(at, 0, ["9", "-", "e9", "null", '"', "[", "\u0000", "1e400"][below(8)]!);
		}
		const file = framed(mutated.join(""), new Uint8Array(below(4) === 0 ? below(40) : 20));
		try {
			const { parts } = decodeSpoolFile(file);
			outcomes.add(parts.every((part) => part.bytes.length <= file.length) ? "read" : "too long");
		} catch (error) {
			if (!(error instanceof SluiceError)) {
				throw new Error(`Round ${round} of FUZZ_SEED=${SEED}: ${JSON.stringify(mutated.join(""))}`, { cause: error });
			}
			outcomes.add(error.code);
		}
	}
	expect([...outcomes].sort()).toEqual(["bytes.malformed", "read"]);
});
