import { type Action, actionSchema } from "#shared/access/permission.ts";
import type { Presign } from "#shared/access/presign.ts";
import { generateSigningKey, type SigningKey } from "#shared/access/signing-key.ts";
import { issueToken } from "#shared/access/token.ts";
import type { Viewer } from "#shared/access/token-limits.ts";
import type { PathName } from "#shared/path-name.ts";
import { initFile, mediaFile, mediaKey } from "#shared/store/key.ts";
import { MemoryStore } from "#shared/store/memory-store.ts";
import { TimelineWriter } from "#shared/timeline/writer.ts";
import { createApp } from "../../functions/app.ts";
import type { Deps } from "../../functions/deps.ts";
import type { Limits } from "../../functions/limits/rate-limits.ts";
import { settingsSchema } from "../../functions/settings.ts";
import { TokenAccess } from "../../functions/tokens/token-access.ts";
import type { WebhookAnswer } from "../../functions/webhooks/transport.ts";
import { FakeClock } from "./fake-clock.ts";

export type Sent = {
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	readonly atMs: number;
};

const keys: Promise<SigningKey> = generateSigningKey();
const foreignKeys: Promise<SigningKey> = generateSigningKey();

const NO_LIMITS: Limits = { request() {}, media() {}, caller() {}, playback() {}, failed() {} };

/** The functions over a bucket in memory, with a clock that stands still and webhooks that go nowhere. */
export async function functionsForTest({
	presign = null,
	allowInsecure = false,
}: {
	presign?: Presign | null;
	allowInsecure?: boolean;
} = {}) {
	const clock = new FakeClock();
	const store = new MemoryStore({ clock });
	const signingKeys = [await keys];
	const logs: string[] = [];
	const sent: Sent[] = [];
	const endpoint: { answer: () => WebhookAnswer | Promise<WebhookAnswer> } = {
		answer: () => ({ status: 204, retryAfterS: null }),
	};
	const settings = settingsSchema.parse({
		signingKeys,
		streamKeySecrets: [Buffer.alloc(32, 5).toString("base64url")],
		webhookAllowInsecure: allowInsecure,
	});
	const tokens = new TokenAccess({ store, clock, settings, sharesReads: true });
	/** Who asks; a test may say otherwise. */
	const viewer: { -readonly [K in keyof Viewer]: Viewer[K] } = { ip: "192.0.2.1", country: "DE", referrer: null };
	const deps: Deps = {
		store,
		clock,
		settings,
		verifier: tokens.verifier,
		tokens,
		viewerOf: () => viewer,
		presign,
		webhooks: {
			async send(url, headers, body) {
				sent.push({ url, headers, body, atMs: clock.now() });
				return endpoint.answer();
			},
		},
		console: null,
		log: {
			debug: (fields, message) => void logs.push(JSON.stringify({ ...fields, message })),
			info: (fields, message) => void logs.push(JSON.stringify({ ...fields, message })),
			error: (fields, message) => void logs.push(JSON.stringify({ ...fields, err: String(fields["err"]), message })),
		},
		sharesReads: true,
	};
	// The clock stands still, and would never give a request back.
	const app = createApp(deps, NO_LIMITS);
	const tokenFor = async (action: Action, path = "", { lifeMs = 3_600_000, foreign = false } = {}) =>
		issueToken(
			foreign ? [await foreignKeys] : signingKeys,
			{ permissions: [{ action: actionSchema.parse(action), path }], subject: "test", expiresMs: clock.now() + lifeMs },
			clock,
		);
	const admin = await tokenFor("api", "", { lifeMs: 10 * 365 * 86_400_000 });
	/** Calls the API as an administrator. */
	const api = async (
		method: string,
		path: string,
		body?: unknown,
		headers: Record<string, string> = {},
	): Promise<Response> =>
		app.request(`http://functions.test${path}`, {
			method,
			headers: {
				authorization: `Bearer ${admin}`,
				...(body === undefined ? {} : { "content-type": "application/json" }),
				...headers,
			},
			...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
		});
	const get = async (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> =>
		app.request(`http://functions.test${path}`, { method, headers });
	return { app, deps, clock, store, logs, sent, endpoint, viewer, tokenFor, api, get };
}

/** What the segments of {@link commitStream} hold. */
export const MEDIA = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff);

/** Commits a stream of one video rendition with `segments` segments of two seconds. */
export async function commitStream(
	store: MemoryStore,
	clock: FakeClock,
	path: PathName,
	segments: number,
): Promise<TimelineWriter> {
	const { signal } = new AbortController();
	const opening = TimelineWriter.open(
		{
			store,
			clock,
			path,
			owner: "node",
			takeover: "override",
			leaseMs: 10_000,
			segmentCount: 8,
			minimumTargetDuration: 2,
		},
		signal,
	);
	const writer = await opening;
	const init = initFile(writer.epoch, 0, "v0");
	await store.put(mediaKey(path, init), "init", { contentType: "video/mp4" });
	for (let i = 0; i < segments; i++) {
		const file = mediaFile(writer.epoch, i, "v0");
		await store.put(mediaKey(path, file), MEDIA, { contentType: "video/mp4" });
		const rendition = { id: "v0", kind: "video" as const, codecs: "avc1.64001f", width: 640, height: 360 };
		await writer.commitSegment(
			{
				startMs: clock.now(),
				discontinuity: false,
				parts: [{ rendition, file, init, duration: 2, bytes: MEDIA.length }],
			},
			signal,
		);
		await clock.advance(2000);
	}
	return writer;
}
