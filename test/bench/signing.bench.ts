/**
 * How many playlists a core signs in a second: behind a token in the path, with presigned URLs of ours, and with those of
 * `@aws-sdk/s3-request-presigner`, in interleaved rounds of the same run. A playlist has ten segments and an init segment.
 */

import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { createPresigner, type PresignerOptions } from "#shared/access/presign.ts";
import { generateSigningKey, publicJwks } from "#shared/access/signing-key.ts";
import { createTokenVerifier, issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { parsePathName } from "#shared/path-name.ts";
import { initFile, mediaFile, mediaKey } from "#shared/store/key.ts";
import { renderMedia } from "#shared/timeline/playlist.ts";
import { RECORD_VERSION, type TimelineRecord } from "#shared/timeline/record.ts";
import { nodeHashes } from "../../functions/node-hashes.ts";

const SEGMENTS = 10;
const ROUNDS = 5;
const ROUND_MS = 400;
/** Presigned playlists, of those of the SDK. */
export const GOAL = 50;

const path = parsePathName("site/cam01");

/** A playlist as it is at one moment: each of them has another window, as those of many streams do. */
function recordAt(n: number): TimelineRecord {
	const init = initFile(1, 0, "v0");
	return {
		version: RECORD_VERSION,
		kind: "segment",
		n,
		epoch: 1,
		writer: "bench",
		previous: "",
		committedMs: 0,
		targetDuration: 2,
		discontinuitySequence: 0,
		nextSequence: n + SEGMENTS,
		renditions: [],
		window: Array.from({ length: SEGMENTS }, (_, i) => ({
			sequence: n + i,
			startMs: (n + i) * 2000,
			duration: 2,
			discontinuity: false,
			parts: { v0: { file: mediaFile(1, n + i, "v0"), init, duration: 2, bytes: 500_000 } },
		})),
	};
}

export type Figures = {
	/** Playlists per second of CPU time, medians over the rounds. */
	readonly token: number;
	readonly presigned: number;
	/** Without the memory of URLs: each one signed anew. */
	readonly presignedCold: number;
	readonly sdk: number;
};

/** Runs the bench, in some ten seconds. */
export async function run(): Promise<Figures> {
	const options: PresignerOptions = {
		endpoint: "https://s3.eu-west-1.amazonaws.com",
		region: "eu-west-1",
		bucket: "bucket",
		prefix: "live",
		pathStyle: false,
		accessKeyId: "AKIAIOSFODNN7EXAMPLE",
		secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		hashes: nodeHashes,
		clock: systemClock,
	};
	const warm = createPresigner(options);
	const cold = createPresigner({ ...options, cacheSize: 0 });
	const { region, accessKeyId, secretAccessKey } = options;
	const client = new S3Client({ region, credentials: { accessKeyId, secretAccessKey } });
	const keys = [await generateSigningKey()];
	const verifier = createTokenVerifier({ keys: publicJwks(keys), clock: systemClock });
	const grant = {
		permissions: [{ action: "read" as const, path }],
		subject: "",
		expiresMs: systemClock.now() + 3_600_000,
	};
	const tokens = await Promise.all(Array.from({ length: 100 }, () => issueToken(keys, grant, systemClock)));

	const ways: Record<keyof Figures, (n: number) => Promise<unknown>> = {
		token: async (n) => {
			await verifier.verify(tokens[n % tokens.length] as string);
			return renderMedia(recordAt(n), "v0", { uriOf: (file) => file });
		},
		// The window moves on by one segment for every hundred playlists, as with a hundred viewers of each.
		presigned: async (n) =>
			renderMedia(recordAt(Math.floor(n / 100)), "v0", { uriOf: (file) => warm(mediaKey(path, file), 300) }),
		presignedCold: async (n) => renderMedia(recordAt(n), "v0", { uriOf: (file) => cold(mediaKey(path, file), 300) }),
		sdk: async (n) => {
			const { window } = recordAt(n);
			const files = [
				initFile(1, 0, "v0"),
				...window.flatMap(({ parts }) => Object.values(parts).map(({ file }) => file)),
			];
			const urls = new Map<string, string>();
			for (const file of files) {
				const command = new GetObjectCommand({ Bucket: "bucket", Key: `live/${mediaKey(path, file)}` });
				urls.set(file, await getSignedUrl(client, command, { expiresIn: 300 }));
			}
			return renderMedia(recordAt(n), "v0", { uriOf: (file) => urls.get(file) ?? "" });
		},
	};
	const results: Record<keyof Figures, number[]> = { token: [], presigned: [], presignedCold: [], sdk: [] };
	for (let round = 0; round < ROUNDS; round++) {
		for (const name of Object.keys(ways) as (keyof Figures)[]) results[name].push(await perCpuSecond(ways[name]));
	}
	client.destroy();
	const median = (values: readonly number[]) =>
		[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
	return {
		token: median(results.token),
		presigned: median(results.presigned),
		presignedCold: median(results.presignedCold),
		sdk: median(results.sdk),
	};
}

async function perCpuSecond(work: (n: number) => Promise<unknown>): Promise<number> {
	const before = process.cpuUsage();
	const until = performance.now() + ROUND_MS;
	let done = 0;
	while (performance.now() < until) for (let i = 0; i < 10; i++) await work(done++);
	const { user, system } = process.cpuUsage(before);
	return done / ((user + system) / 1e6);
}

if (import.meta.main) {
	const { token, presigned, presignedCold, sdk } = await run();
	const line = (name: string, value: number) =>
		console.log(
			`signing, playlists per core-second: ${name} ${Math.round(value)}, ${(value / sdk).toFixed(0)} times the AWS SDK's presigner`,
		);
	line("token in the path", token);
	line("presigned, URLs remembered", presigned);
	line("presigned, each URL signed anew", presignedCold);
	line("@aws-sdk/s3-request-presigner", sdk);
	console.log(`goal: presigned at least ${GOAL} times`);
	if (!(presigned / sdk >= GOAL)) process.exitCode = 1;
}
