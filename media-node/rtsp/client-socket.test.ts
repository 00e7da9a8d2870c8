import { readFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { hasCode } from "#shared/problem.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeCamera } from "../../test/support/fake-camera.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { pullFrom } from "../../test/support/pull.ts";
import { openSocket } from "./client-socket.ts";

const TLS = path.resolve(import.meta.dirname, "../../test/fixtures/tls");
const cert = readFileSync(path.join(TLS, "localhost.crt"));
const key = readFileSync(path.join(TLS, "localhost.key"));
/** By `openssl x509 -in localhost.crt -noout -fingerprint -sha256`. */
const FINGERPRINT = "B4:4B:C7:2C:13:2C:60:71:A8:61:D4:66:94:B6:12:B5:CB:75:D9:64:CC:6E:50:B8:BC:F2:A4:21:1C:42:85:69";

const codeOf = async (ended: Promise<unknown>) => {
	const error = await ended;
	return hasCode(error, "access.credentials", "aborted", "rtsp.timeout", "source.unreachable") ? error.code : error;
};

describe("a source over TLS", () => {
	it("is pulled when its certificate has the configured fingerprint", async () => {
		await using camera = await FakeCamera.open(undefined, { cert, key });
		await using pull = pullFrom(`rtsps://127.0.0.1:${camera.port}/cam`, {
			sourceFingerprint: FINGERPRINT,
			rtspTransport: "automatic",
		});
		await eventually("it plays", () => camera.methods.includes("PLAY"));
		expect(camera.requests.at(-1)?.url).toBe(`rtsps://127.0.0.1:${camera.port}/cam`);
		expect(pull.published).toBe(1);
	});

	it("is told nothing when it has another one, or none that this machine trusts", async () => {
		await using camera = await FakeCamera.open(undefined, { cert, key });
		await using other = pullFrom(`rtsps://127.0.0.1:${camera.port}/cam`, { sourceFingerprint: "ab".repeat(32) });
		expect(await codeOf(other.ended)).toBe("access.credentials");
		await using unknown = pullFrom(`rtsps://127.0.0.1:${camera.port}/cam`);
		expect(await codeOf(unknown.ended)).toBe("access.credentials");
		expect(String(await unknown.ended)).toContain("sourceFingerprint");
		expect(camera.requests).toEqual([]);
	});
});

describe("opening a connection", () => {
	it("is given up after its time, or when nobody wants it any more", async () => {
		// Accepts, and says nothing: the handshake hangs.
		const sockets: net.Socket[] = [];
		const server = net.createServer((socket) => void sockets.push(socket.on("error", () => {})));
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		try {
			const { port } = server.address() as AddressInfo;
			const clock = new FakeClock();
			const target = { host: "127.0.0.1", port, isTls: true, fingerprint: "", clock, timeoutMs: 5_000 };
			const caught = (signal: AbortSignal) => openSocket(target, signal).catch((error: unknown) => error);
			const slow = caught(new AbortController().signal);
			await clock.advance(5_000);
			expect(await codeOf(slow)).toBe("rtsp.timeout");
			const stop = new AbortController();
			const unwanted = caught(stop.signal);
			stop.abort();
			expect(await codeOf(unwanted)).toBe("aborted");
			expect(await codeOf(caught(AbortSignal.abort()))).toBe("aborted");
			expect(clock.pending).toBe(0);
		} finally {
			for (const socket of sockets) socket.destroy();
			await new Promise((resolve) => server.close(resolve));
		}
	});
});
