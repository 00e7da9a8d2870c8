import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueToken } from "#shared/access/token.ts";
import { systemClock } from "#shared/clock.ts";
import { parsePathName } from "#shared/path-name.ts";
import { mediaKey } from "#shared/store/key.ts";
import { bucketUrlOf, type DevWorker, generateWorkerKeys, startDevWorker } from "../../functions/dev-worker.ts";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { Player } from "../support/player.ts";
import { run } from "../support/program.ts";
import { receiver } from "../support/receiver.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";
import { everySegmentIsReadable } from "../support/watch.ts";

/** The same functions in workerd over R2, and a node in a process of its own that writes to the bucket by its S3 API. */
describe("the functions in workerd, with a node that writes through the S3 API to the same bucket", () => {
	let worker: DevWorker;

	beforeAll(async () => {
		worker = await startDevWorker({ port: 0, keys: await generateWorkerKeys(), persist: null });
	});
	afterAll(async () => {
		await worker[Symbol.asyncDispose]();
	});

	const tokenFor = (action: "read" | "api", path: string) =>
		issueToken(
			worker.keys.signingKeys,
			{ permissions: [{ action, path }], subject: "test", expiresMs: systemClock.now() + 600_000 },
			systemClock,
		);

	function startNode(folder: string, config = ""): Promise<Sluice> {
		const { accessKeyId, secretAccessKey } = worker.s3;
		return Sluice.start({
			folder,
			nodeOnly: true,
			config: `bucket: ${bucketUrlOf(worker)}\nauthJWTJWKS: ${worker.url}/.well-known/jwks.json\n${config}`,
			env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
		});
	}

	it("serves a signed URL that ffprobe and hls.js play, and nothing without a token", async () => {
		await using folder = await tempDir();
		await using node = await startNode(folder.path);
		await using _camera = publish(await sample(), node.rtsp("site/cam01"));
		const url = `${worker.url}/${await tokenFor("read", "site/cam01")}/site/cam01/index.m3u8`;
		await node.playlist(url, 3);
		const { streams } = JSON.parse(
			(await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", url])).toString(),
		) as {
			streams: { codec_name: string }[];
		};
		expect(streams.map((stream) => stream.codec_name).sort()).toEqual(["aac", "h264"]);
		await using player = await Player.open();
		await player.play(url);
		const state = await eventually(
			"hls.js plays",
			async () => {
				const now = await player.state();
				return now.currentTime > 3 ? now : false;
			},
			{ timeoutMs: 30_000 },
		);
		expect(state.errors).toEqual([]);
		await everySegmentIsReadable(url);

		const elsewhere = url.replace("/site/cam01/", "/site/cam02/");
		expect((await fetch(elsewhere)).status).toBe(403);
		const bare = await fetch(`${worker.url}/x.y.z/site/cam01/index.m3u8`);
		expect(bare.status).toBe(401);
		expect(bare.headers.get("content-type")).toBe("application/problem+json");
	});

	it("reads a segment once for viewers with different tokens, and a revoked one stops within ten seconds", async () => {
		const { endpoint, bucket, ...credentials } = worker.s3;
		const s3 = new S3Client({ endpoint, region: "auto", forcePathStyle: true, credentials });
		const file = "000000000001-000000000001-v0.m4s";
		const where = { Bucket: bucket, Key: mediaKey(parsePathName("site/shared"), file) };
		const media = new Uint8Array(200_000).fill(7);
		await s3.send(new PutObjectCommand({ ...where, Body: media, ContentType: "video/mp4" }));
		const [ana, ben] = [await tokenFor("read", "site/shared"), await tokenFor("read", "site/shared")];
		const watch = (token: string, headers: Record<string, string> = {}) =>
			fetch(`${worker.url}/${token}/site/shared/${file}`, { headers });
		const first = await watch(ana);
		expect([first.status, first.headers.get("cache-status")]).toEqual([200, "sluice; fwd=uri-miss; stored"]);
		expect((await first.bytes()).length).toBe(media.length);
		// Who is served without the object being there has not read the bucket.
		await s3.send(new DeleteObjectCommand(where));
		s3.destroy();
		const second = await eventually("the cache has taken it", async () => {
			const answer = await watch(ben);
			return answer.status === 200 && answer;
		});
		expect(second.headers.get("cache-status")).toBe("sluice; hit");
		expect(await second.bytes()).toEqual(media);
		const part = await watch(ben, { range: "bytes=10-19" });
		expect([part.status, (await part.bytes()).length]).toEqual([206, 10]);
		expect((await watch(await tokenFor("read", "site/other"))).status).toBe(403);

		const revoked = await fetch(`${worker.url}/v1/tokens/revoke`, {
			method: "POST",
			headers: { authorization: `Bearer ${await tokenFor("api", "")}`, "content-type": "application/json" },
			body: JSON.stringify({ token: ben }),
		});
		expect(revoked.status).toBe(201);
		await eventually("the viewer is refused", async () => (await watch(ben)).status === 401, { timeoutMs: 10_000 });
		expect((await watch(ana)).status).toBe(200);
	});

	it("serves the console out of the static assets, under its policy", async () => {
		const index = await fetch(`${worker.url}/console/paths/site/cam01`);
		expect([index.status, index.headers.get("cache-control")]).toEqual([200, "no-cache"]);
		expect(index.headers.get("content-security-policy")).toContain("script-src 'self'; ");
		const page = await index.text();
		const scripts = [...page.matchAll(/<script type="module" crossorigin src="([^"]+)"/g)].map((found) => found[1]);
		expect(scripts).toHaveLength(1);
		const script = await fetch(`${worker.url}${scripts[0]}`);
		expect(script.headers.get("content-type")).toMatch(/^text\/javascript/);
		expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
		expect((await script.text()).length).toBeGreaterThan(10_000);
		const known = { "if-none-match": script.headers.get("etag") ?? "" };
		expect((await fetch(`${worker.url}${scripts[0]}`, { headers: known })).status).toBe(304);
		// Neither by a name of its own, nor past the Worker.
		expect((await fetch(`${worker.url}/console/assets/gone.js`)).status).toBe(404);
		expect((await fetch(`${worker.url}/index.html`)).status).toBe(404);
	});

	it("keeps a configuration that the node follows, and delivers what the node reports", async () => {
		await using folder = await tempDir();
		await using node = await startNode(folder.path, "paths: {}");
		const headers = { authorization: `Bearer ${await tokenFor("api", "")}`, "content-type": "application/json" };
		const film = await sample();
		const refused = publish(film, node.rtsp("gate"), { loop: false });
		expect((await refused.exited).code).not.toBe(0);
		const put = await fetch(`${worker.url}/v1/paths/gate`, {
			method: "PUT",
			headers,
			body: JSON.stringify({ hlsSegmentDuration: "1s" }),
		});
		expect(put.status).toBe(201);
		const stale = await fetch(`${worker.url}/v1/paths/gate`, {
			method: "PUT",
			headers: { ...headers, "if-match": '"stale"' },
			body: "{}",
		});
		expect(stale.status).toBe(412);
		const url = `${worker.url}/${await tokenFor("read", "gate")}/gate/index.m3u8`;
		await using camera = await eventually(
			"the node lets the path in",
			async () => {
				const attempt = publish(film, node.rtsp("gate"));
				const isIn = await eventually("it publishes or is refused", async () =>
					!attempt.running ? "refused" : (await node.metric("paths")) > 0 && "in",
				);
				return isIn === "in" ? attempt : false;
			},
			{ timeoutMs: 30_000, everyMs: 500 },
		);
		expect(camera.running).toBe(true);
		expect(await node.playlist(url, 3)).toContain("#EXTINF:1.0");
		const streams = (await (await fetch(`${worker.url}/v1/streams/gate`, { headers })).json()) as { live: boolean };
		expect(streams.live).toBe(true);

		await using endpoint = await receiver(() => 204);
		const hook = await fetch(`${worker.url}/v1/webhooks`, {
			method: "POST",
			headers,
			body: JSON.stringify({ url: endpoint.url }),
		});
		const { secret } = (await hook.json()) as { secret: string };
		const isOnline = (body: string) => {
			const { type, data } = JSON.parse(body) as { type: string; data: { path: string } };
			return type === "stream.online" && data.path === "gate";
		};
		const delivery = await eventually("the cron trigger delivers stream.online", async () => {
			await worker.scheduled();
			return endpoint.deliveries.find(({ body }) => isOnline(body));
		});
		expect(new Webhook(secret).verify(delivery.body, delivery.headers)).toMatchObject({ data: { path: "gate" } });
	});
});
