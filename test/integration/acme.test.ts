import { connect } from "node:tls";
import { expect, it } from "vitest";
import { AcmeServer } from "../support/acme-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { Sluice } from "../support/sluice.ts";
import { tempDir } from "../support/temp-dir.ts";

/** Who signed the certificate of the server at a port. */
function issuerAt(port: number): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect({ port, host: "127.0.0.1", servername: "node1.example", rejectUnauthorized: false }, () => {
			resolve(String(socket.getPeerCertificate().issuer.CN));
			socket.destroy();
		});
		socket.once("error", reject);
	});
}

it("a node gets its certificate by itself, and serves WHIP and RTSPS with it without a restart", async () => {
	await using folder = await tempDir();
	const challengePort = await freePort();
	const securePort = await freePort();
	const life = { lifeMs: 90 * 86_400_000, now: Date.now };
	await using authority = await AcmeServer.open({ challengePort, ...life });
	await using sluice = await Sluice.start({
		folder: folder.path,
		config: [
			"acme: yes",
			"acmeNames: [node1.example]",
			`acmeDirectory: ${authority.directory}`,
			`acmeAddress: 127.0.0.1:${challengePort}`,
			"webrtcEncryption: yes",
			"rtspEncryption: optional",
			"rtspTransports: [tcp]",
			`rtspsAddress: 127.0.0.1:${securePort}`,
		].join("\n"),
	});
	for (const port of [sluice.ports.webrtc, securePort]) {
		await eventually("the authority's certificate is served", async () => (await issuerAt(port)) === "Test authority", {
			timeoutMs: 30_000,
			everyMs: 500,
		});
	}
	expect(authority.faults).toEqual([]);
});
