import { readFileSync } from "node:fs";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "#shared/clock.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { deleteSession, postOffer, whipTarget } from "./whip-client.ts";

const TLS = path.resolve(import.meta.dirname, "../../../test/fixtures/tls");
const cert = readFileSync(path.join(TLS, "localhost.crt"));
const key = readFileSync(path.join(TLS, "localhost.key"));
/** By `openssl x509 -in localhost.crt -noout -fingerprint -sha256`. */
const FINGERPRINT = "B4:4B:C7:2C:13:2C:60:71:A8:61:D4:66:94:B6:12:B5:CB:75:D9:64:CC:6E:50:B8:BC:F2:A4:21:1C:42:85:69";

const servers: (http.Server | https.Server)[] = [];
const never = new AbortController().signal;

afterEach(async () => {
	for (const server of servers.splice(0)) {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}
});

type Seen = { readonly method: string; readonly url: string; readonly headers: http.IncomingHttpHeaders; body: string };

/** Serves, and tells what it was asked. */
async function serve(listener: RequestListener, isTls = false): Promise<{ host: string; seen: Seen[] }> {
	const seen: Seen[] = [];
	const onRequest = (request: IncomingMessage, response: ServerResponse) => {
		const { method = "", url = "", headers } = request;
		const one: Seen = { method, url, headers, body: "" };
		seen.push(one);
		request.on("data", (chunk) => {
			one.body += chunk;
		});
		request.on("end", () => listener(request, response));
	};
	const server = isTls ? https.createServer({ cert, key }, onRequest) : http.createServer(onRequest);
	servers.push(server);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const created: RequestListener = (_request, response) => {
	response.writeHead(201, { "content-type": "application/sdp; charset=utf-8", location: "/cam/whep/1" }).end("v=0");
};

function target(url: string, { token = "", fingerprint = "" } = {}) {
	return whipTarget(url, { token, fingerprint, clock: systemClock, timeoutMs: 10_000 });
}

const refusal = (text: RegExp, code = "webrtc.failed") => ({ code, message: expect.stringMatching(text) });

describe("postOffer", () => {
	it("posts the offer with the token, and gives the answer and the address of the session", async () => {
		const { host, seen } = await serve(created);
		const { sdp, session } = await postOffer(target(`whep://${host}/cam/whep?a=b`, { token: "t0k" }), "offer", never);
		expect(sdp).toBe("v=0");
		expect(session?.href).toBe(`http://${host}/cam/whep/1`);
		expect(seen).toMatchObject([{ method: "POST", url: "/cam/whep?a=b", body: "offer" }]);
		expect(seen[0]?.headers).toMatchObject({ authorization: "Bearer t0k", "content-type": "application/sdp" });
	});

	it("sends user and password of the address where there is no token", async () => {
		const { host, seen } = await serve(created);
		await postOffer(target(`whip://us%40er:p%zz@${host}/`), "", never);
		expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from("us@er:p%zz").toString("base64")}`);
	});

	it.each([307, 308])("follows %i, with the token at the same origin only", async (status) => {
		const other = await serve(created);
		const { host, seen } = await serve(({ url }, response) => {
			const location = url === "/a" ? "/b" : `http://${other.host}/c`;
			response.writeHead(status, { location }).end();
		});
		const { session } = await postOffer(target(`whep://${host}/a`, { token: "secret" }), "offer", never);
		expect(seen.map(({ headers }) => headers.authorization)).toEqual(["Bearer secret", "Bearer secret"]);
		expect(other.seen).toMatchObject([{ method: "POST", url: "/c", body: "offer" }]);
		expect(other.seen[0]?.headers.authorization).toBeUndefined();
		expect(session?.host).toBe(other.host);
	});

	it("gives up on redirects without end, to nowhere, and away from HTTP", async () => {
		const { host, seen } = await serve(({ url }, response) => {
			const location = url === "/away" ? "file:///etc/passwd" : url === "/nowhere" ? "" : "/loop";
			response.writeHead(307, location === "" ? {} : { location }).end();
		});
		await expect(postOffer(target(`whep://${host}/loop`), "", never)).rejects.toMatchObject(refusal(/redirects too/));
		expect(seen.length).toBe(6);
		await expect(postOffer(target(`whep://${host}/nowhere`), "", never)).rejects.toMatchObject(refusal(/nowhere/));
		await expect(postOffer(target(`whep://${host}/away`), "", never)).rejects.toMatchObject(refusal(/no HTTPS/));
	});

	it("does not follow from HTTPS to HTTP", async () => {
		const plain = await serve(created);
		const { host } = await serve((_request, response) => {
			response.writeHead(307, { location: `http://${plain.host}/` }).end();
		}, true);
		const secure = target(`wheps://${host}/`, { fingerprint: FINGERPRINT });
		await expect(postOffer(secure, "", never)).rejects.toMatchObject(refusal(/no HTTPS/));
		expect(plain.seen).toEqual([]);
	});

	it.each([401, 403])("says that the credentials are wrong for %i", async (status) => {
		const { host } = await serve((_request, response) => void response.writeHead(status).end());
		const asked = postOffer(target(`whep://${host}/`, { token: "s3cret" }), "", never);
		await expect(asked).rejects.toMatchObject(refusal(/other credentials/, "access.credentials"));
		await expect(asked).rejects.not.toMatchObject({ message: expect.stringContaining("s3cret") });
	});

	it.each<[string, number, string, string, RegExp]>([
		["a problem document", 409, "application/problem+json", '{"detail":"nobody publishes"}', /409: nobody publishes$/],
		["an error of MediaMTX", 404, "application/json", '{"status":"error","error":"no stream"}', /404: no stream$/],
		["plain text", 500, "text/plain", "oh\r\n\u001b[31mno", /500: oh \[31mno$/],
		["a counter-offer", 406, "application/sdp", "v=0", /406$/],
		["JSON that is none", 400, "application/json", "{", /400$/],
		["another type", 201, "text/html", "<p>", /text\/html instead of/],
		["success of another kind", 200, "application/sdp", "v=0", /answers 200$/],
	])("tells of %s", async (_name, status, type, body, message) => {
		const { host } = await serve((_request, response) => {
			response.writeHead(status, { "content-type": type }).end(body);
		});
		await expect(postOffer(target(`whep://${host}/`), "", never)).rejects.toMatchObject(refusal(message));
	});

	it("reads no body without end", async () => {
		const { host } = await serve((_request, response) => {
			response.writeHead(201, { "content-type": "application/sdp" });
			const more = () => void (response.writable && response.write("x".repeat(50_000), more));
			more();
		});
		await expect(postOffer(target(`whep://${host}/`), "", never)).rejects.toMatchObject(refusal(/131072 bytes/));
	});

	it("waits for a silent server for so long, and not when it is told to stop", async () => {
		const { host, seen } = await serve(() => {});
		const clock = new FakeClock();
		const silent = whipTarget(`whep://${host}/`, { token: "", fingerprint: "", clock, timeoutMs: 700 });
		const timedOut = expect(postOffer(silent, "", never)).rejects.toMatchObject(refusal(/within 700 ms/));
		await eventually("the request", () => seen.length === 1);
		await clock.advance(700);
		await timedOut;
		const stop = new AbortController();
		const stopped = expect(postOffer(silent, "", stop.signal)).rejects.toMatchObject({ code: "aborted" });
		stop.abort();
		await stopped;
		expect(clock.pending).toBe(0);
	});

	it("trusts a certificate by its fingerprint, and no other that nobody vouches for", async () => {
		const { host, seen } = await serve(created, true);
		const wrong = FINGERPRINT.replace(/^B4/, "B5");
		const denied = refusal(/not trusted/, "access.credentials");
		await expect(postOffer(target(`whips://${host}/`), "", never)).rejects.toMatchObject(denied);
		await expect(postOffer(target(`whips://${host}/`, { fingerprint: wrong }), "", never)).rejects.toMatchObject(
			denied,
		);
		expect(seen).toEqual([]);
		const { session } = await postOffer(target(`whips://${host}/`, { fingerprint: FINGERPRINT }), "", never);
		expect(session?.protocol).toBe("https:");
	});

	it("says that nobody is there", async () => {
		const { host } = await serve(created);
		for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
		await expect(postOffer(target(`whep://${host}/`), "", never)).rejects.toMatchObject(refusal(/cannot be reached/));
	});
});

describe("deleteSession", () => {
	it("deletes with the token at the origin of the server, and without it elsewhere", async () => {
		const { host, seen } = await serve(created);
		const other = await serve(created);
		const server = target(`whip://${host}/x`, { token: "t0k" });
		await deleteSession(server, new URL(`http://${host}/cam/whep/1`), never);
		await deleteSession(server, new URL(`http://${other.host}/1`), never);
		expect(seen).toMatchObject([{ method: "DELETE", url: "/cam/whep/1", headers: { authorization: "Bearer t0k" } }]);
		expect(other.seen[0]?.headers.authorization).toBeUndefined();
	});
});

describe("whipTarget", () => {
	it("refuses what is no address, and tokens that no header can hold", () => {
		expect(() => target("whep://")).toThrow(/must be a URL/);
		expect(() => target("whep://host/", { token: "a\nb" })).toThrow(/no header can hold/);
	});
});
