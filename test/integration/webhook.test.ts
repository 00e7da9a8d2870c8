import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { receiver } from "../support/receiver.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";

describe("a webhook on publish", () => {
	it("tells of stream.online and stream.offline, signed as Standard Webhooks asks, and survives a restart before delivery", async () => {
		await using folder = await tempDir();
		const config = "webhookAllowInsecure: true\npathDefaults: { publisherReconnectWindow: 1s }";
		let status = 503;
		await using endpoint = await receiver(() => status);
		const first = await Sluice.start({ folder: folder.path, config });
		const created = await first.api("POST", "/v1/webhooks", { url: endpoint.url });
		expect(created.status).toBe(201);
		const { secret } = (await created.json()) as { secret: string };
		const camera = publish(await sample(), first.rtsp("cam01"));
		await eventually("a first attempt fails", () => endpoint.deliveries.length > 0);
		await camera.stop();
		await first.kill();

		status = 204;
		await using _second = await Sluice.start({ folder: folder.path, config }, first.ports);
		const types = () => endpoint.deliveries.map((delivery) => JSON.parse(delivery.body).type as string);
		// A process that was killed while it delivered leaves its lease behind, which runs out within ten seconds.
		await eventually(
			"both events arrive",
			() => types().includes("stream.online") && types().includes("stream.offline"),
			{ timeoutMs: 25_000 },
		);

		const verifier = new Webhook(secret);
		for (const { headers, body } of endpoint.deliveries) verifier.verify(body, headers);
		const ids = new Set(
			endpoint.deliveries.filter((_, i) => types()[i] === "stream.online").map(({ headers }) => headers["webhook-id"]),
		);
		expect(ids.size).toBe(1);
		const online = JSON.parse(endpoint.deliveries.find((_, i) => types()[i] === "stream.online")?.body ?? "{}");
		expect(online.data).toMatchObject({
			path: "cam01",
			protocol: "rtsp",
			tracks: [
				{ kind: "video", codec: "H264" },
				{ kind: "audio", codec: "MPEG-4 Audio" },
			],
		});
		const sequences = [
			...new Set(endpoint.deliveries.map((delivery) => JSON.parse(delivery.body).sequence as number)),
		].sort((a, b) => a - b);
		expect(sequences).toEqual(sequences.map((_, i) => i));
	});
});
