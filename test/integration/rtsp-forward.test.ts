/** Streams that a Sluice sends on to another server by RTSP. */

import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { publish } from "../support/ffmpeg.ts";
import { sample } from "../support/media.ts";
import { expectFilm } from "../support/rtsp-clients.ts";
import { Sluice, TLS_FILES } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";

const PASSWORD = "correct-horse-battery";

it("forwards by RTSP and RTSPS, with Digest and a pinned certificate, byte for byte", async () => {
	const film = await sample({ seconds: 60, size: "320x240" });
	await using there = await tempDir();
	await using here = await tempDir();
	await using target = await Sluice.start({
		folder: there.path,
		secure: true,
		config: [
			"rtspAuthMethods: [digest]",
			"authInternalUsers:",
			"  - { user: any, permissions: [{ action: read }, { action: metrics }] }",
			`  - { user: pusher, pass: ${PASSWORD}, permissions: [{ action: publish }] }`,
		].join("\n"),
	});
	const certificate = new X509Certificate(await readFile(path.join(TLS_FILES, "localhost.crt")));
	const destFingerprint = createHash("sha256").update(certificate.raw).digest("hex");
	const withLogin = (url: string, password: string) => url.replace("://", `://pusher:${password}@`);
	const forward = [
		{ dest: withLogin(target.rtsp("$MTX_PATH/plain"), PASSWORD) },
		{ dest: withLogin(target.rtsps("$MTX_PATH/secure"), PASSWORD), destFingerprint },
		{ dest: withLogin(target.rtsps("$MTX_PATH/imposter"), PASSWORD), destFingerprint: "00".repeat(32) },
		{ dest: withLogin(target.rtsp("$MTX_PATH/stranger"), "wrong-wrong-wrong") },
	];
	await using sluice = await Sluice.start({
		folder: here.path,
		config: `paths: ${JSON.stringify({ cam01: { forward } })}`,
	});
	await using _camera = publish(film, sluice.rtsp("cam01"));
	for (const name of ["plain", "secure"]) {
		await target.ready(`cam01/${name}`, 20_000);
		await expectFilm(target.rtsp(`cam01/${name}`), { film, out: path.join(here.path, `${name}.mkv`) });
	}
	expect(await sluice.metric("forward_dests", { path: "cam01", state: "forwarding" })).toBe(2);
	expect(await sluice.metric("forward_dests", { path: "cam01", state: "error" })).toBe(2);
	const said = sluice.program.output.toString() + sluice.program.errors;
	expect(said).toMatch(/does not have the configured destFingerprint/);
	expect(said).toMatch(/The destination at .* does not take the user and password of its URL/);
	expect(said).not.toContain(PASSWORD);
	expect(said).not.toContain("wrong-wrong");
}, 120_000);
