import { readFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parsePathName } from "#shared/path-name.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { Logger } from "../log.ts";
import type { AccessRequest } from "./access.ts";
import { createHttpAuth, type HttpAuthOptions, MAX_IN_FLIGHT, MAX_WAITING } from "./http-auth.ts";

const TLS = path.resolve(import.meta.dirname, "../../test/fixtures/tls");
const cert = readFileSync(path.join(TLS, "localhost.crt"));
const key = readFileSync(path.join(TLS, "localhost.key"));
/** By `openssl x509 -in localhost.crt -noout -fingerprint -sha256 | cut -d "=" -f2 | tr -d ':'`. */
const FINGERPRINT = "B44BC72C132C6071A861D46694B612B5CB75D964CC6E50B8BCF2A4211C428569";

const REQUEST: AccessRequest = {
	action: "publish",
	path: parsePathName("site/cam01"),
	protocol: "rtsp",
	ip: "10.1.2.3",
	user: "joe",
	password: "geheim",
	token: "",
	id: "0123456789abcdef0123456789abcdef",
	query: "a=1&b=2",
	userAgent: "GStreamer/1.22",
};
const NOTHING = { ...REQUEST, user: "", password: "" };

/** One question that the server has: its body, and the answer to give. */
type Question = { readonly text: string; readonly request: IncomingMessage; readonly response: ServerResponse };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function setUp({
	answer,
	secure = false,
	...changes
}: Partial<HttpAuthOptions> & { answer?: (question: Question) => void; secure?: boolean } = {}) {
	const questions: Question[] = [];
	const listener = async (request: IncomingMessage, response: ServerResponse) => {
		let text = "";
		for await (const chunk of request) text += chunk;
		const question = { text, request, response };
		questions.push(question);
		answer?.(question);
	};
	const server = secure ? https.createServer({ cert, key }, listener) : http.createServer(listener);
	let connections = 0;
	server.on("connection", () => connections++);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const logged: { bindings: Record<string, unknown>; message: string }[] = [];
	const info = (bindings: Record<string, unknown>, message: string) => logged.push({ bindings, message });
	const clock = new FakeClock();
	const auth = createHttpAuth({
		address: `http${secure ? "s" : ""}://127.0.0.1:${(server.address() as AddressInfo).port}/auth`,
		fingerprint: "",
		exclude: [],
		timeoutMs: 10_000,
		clock,
		log: { info } as unknown as Logger,
		...changes,
	});
	cleanUps.push(
		() => new Promise((resolve) => server.close(resolve)),
		() => server.closeAllConnections(),
		() => auth[Symbol.dispose](),
	);
	return { auth, questions, logged, clock, connections: () => connections };
}

const answers =
	(status: number, body = "") =>
	({ response }: Question) =>
		void response.writeHead(status).end(body);
const codeOf = (promise: Promise<unknown>) =>
	promise.then(
		() => "allowed",
		(error) => String(error.code),
	);

describe("an HTTP authentication server", () => {
	it("is asked with a POST of the ten fields of MediaMTX", async () => {
		const { auth, questions } = await setUp({ answer: answers(200) });
		await auth.authorize({ ...REQUEST, token: 'a"b' });
		expect(questions[0]?.text).toBe(
			'{"ip":"10.1.2.3","user":"joe","password":"geheim","token":"a\\"b","action":"publish","path":"site/cam01",' +
				'"protocol":"rtsp","id":"0123456789abcdef0123456789abcdef","query":"a=1&b=2","userAgent":"GStreamer/1.22"}',
		);
		expect(questions[0]?.request).toMatchObject({ method: "POST", url: "/auth" });
		expect(questions[0]?.request.headers["content-type"]).toBe("application/json");
		await auth.authorize({ ...REQUEST, action: "api", path: "", id: "" });
		expect(JSON.parse(questions[1]?.text ?? "")).toMatchObject({ action: "api", path: "", id: null });
	});

	it.each([200, 201, 204, 299])("lets in with %i", async (status) => {
		const { auth, logged } = await setUp({ answer: answers(status) });
		expect(await auth.authorize(REQUEST)).toEqual({ subject: "joe", expiresMs: null });
		expect(await auth.authorize(NOTHING)).toEqual({ subject: "http", expiresMs: null });
		expect(logged).toEqual([]);
	});

	it.each([300, 302, 400, 401, 403, 404, 500, 503])(
		"refuses with %i, and asks who has shown nothing for credentials",
		async (status) => {
			const { auth, questions } = await setUp({ answer: answers(status) });
			expect(await codeOf(auth.authorize(REQUEST))).toBe("access.credentials");
			expect(await codeOf(auth.authorize({ ...NOTHING, token: "x" }))).toBe("access.credentials");
			expect(await codeOf(auth.authorize(NOTHING))).toBe("access.token_missing");
			expect(questions).toHaveLength(3);
		},
	);

	it("is asked each time, over one connection", async () => {
		let status = 200;
		const { auth, connections } = await setUp({ answer: (question) => answers(status)(question) });
		expect(await codeOf(auth.authorize(REQUEST))).toBe("allowed");
		status = 401;
		expect(await codeOf(auth.authorize(REQUEST))).toBe("access.credentials");
		status = 200;
		expect(await codeOf(auth.authorize(REQUEST))).toBe("allowed");
		expect(connections()).toBe(1);
	});

	it("is not asked about what is excluded", async () => {
		const exclude = [
			{ action: "read" as const, path: "~^site/" },
			{ action: "metrics" as const, path: "" },
		];
		const { auth, questions } = await setUp({ answer: answers(401), exclude });
		expect(await auth.authorize({ ...REQUEST, action: "read" })).toEqual({ subject: "any", expiresMs: null });
		expect(await codeOf(auth.authorize({ ...REQUEST, action: "metrics", path: "" }))).toBe("allowed");
		expect(questions).toEqual([]);
		expect(await codeOf(auth.authorize(REQUEST))).toBe("access.credentials");
		expect(await codeOf(auth.authorize({ ...REQUEST, action: "read", path: parsePathName("other") }))).toBe(
			"access.credentials",
		);
	});

	it("explains itself in the log, shortened and without secrets, and not to the client", async () => {
		const body = `no such\nuser: geheim${" or so".repeat(30_000)}`;
		const { auth, logged } = await setUp({ answer: answers(403, body) });
		const error = await auth.authorize(REQUEST).catch((error) => error);
		expect(error.message).not.toContain("no such");
		expect(logged).toHaveLength(1);
		expect(logged[0]?.bindings).toMatchObject({ ip: "10.1.2.3", path: "site/cam01", status: 403 });
		expect(logged[0]?.bindings["answer"]).toMatch(/^no such user: \*\*\* or so or so.{200,240}…$/);
	});

	it("is known by its fingerprint", async () => {
		const good = await setUp({ answer: answers(200), secure: true, fingerprint: FINGERPRINT });
		expect(await codeOf(good.auth.authorize(REQUEST))).toBe("allowed");
		for (const fingerprint of ["", FINGERPRINT.replace(/^../, "00")]) {
			const { auth, questions } = await setUp({ answer: answers(200), secure: true, fingerprint });
			expect(await codeOf(auth.authorize(REQUEST))).toBe("store.unavailable");
			expect(questions).toEqual([]);
		}
	});

	it("must have an address", async () => {
		await expect(setUp({ address: "" })).rejects.toMatchObject({ code: "config.invalid" });
	});
});

describe("a slow authentication server", () => {
	it("delays the session that it thinks about, and no other", async () => {
		const { auth, questions } = await setUp({
			answer: (question) => {
				if (question.text.includes('"user":"fast"')) answers(200)(question);
			},
		});
		let isAnswered = false;
		const slow = auth.authorize({ ...REQUEST, user: "slow" }).finally(() => {
			isAnswered = true;
		});
		await eventually("the slow question arrives", () => questions.length === 1);
		for (let i = 0; i < 5; i++)
			expect(await auth.authorize({ ...REQUEST, user: "fast" })).toMatchObject({ subject: "fast" });
		expect(isAnswered).toBe(false);
		answers(200)(questions[0] as Question);
		expect(await slow).toMatchObject({ subject: "slow" });
	});

	it("has some time, after which the client is turned away", async () => {
		const { auth, questions, clock } = await setUp();
		const asked = codeOf(auth.authorize(REQUEST));
		await eventually("the question arrives", () => questions.length === 1);
		await clock.advance(9_999);
		expect(await Promise.race([asked, "waiting"])).toBe("waiting");
		await clock.advance(1);
		expect(await asked).toBe("store.unavailable");
		expect(clock.pending).toBe(0);
		await eventually("the question is taken back", () => questions[0]?.response.destroyed);
	});

	it("is left alone when the client goes", async () => {
		const { auth, questions, clock } = await setUp();
		const gone = new AbortController();
		const asked = codeOf(auth.authorize(REQUEST, gone.signal));
		await eventually("the question arrives", () => questions.length === 1);
		gone.abort();
		expect(await asked).toBe("aborted");
		expect(await codeOf(auth.authorize(REQUEST, gone.signal))).toBe("aborted");
		expect(clock.pending).toBe(0);
		await eventually("the question is taken back", () => questions[0]?.response.destroyed);
		expect(questions).toHaveLength(1);
	});

	it("gets so many questions at once, and so many more may wait, each as long as any", async () => {
		const { auth, questions, clock } = await setUp();
		const asked = Array.from({ length: MAX_IN_FLIGHT + MAX_WAITING }, () => codeOf(auth.authorize(REQUEST)));
		await eventually("the questions arrive", () => questions.length === MAX_IN_FLIGHT);
		expect(await codeOf(auth.authorize(REQUEST))).toBe("store.unavailable");
		answers(200)(questions[0] as Question);
		await eventually("the next one arrives", () => questions.length === MAX_IN_FLIGHT + 1);
		await clock.advance(10_000);
		const codes = await Promise.all(asked);
		expect(codes.filter((code) => code === "allowed")).toHaveLength(1);
		expect(codes.filter((code) => code === "store.unavailable")).toHaveLength(MAX_IN_FLIGHT + MAX_WAITING - 1);
		expect(clock.pending).toBe(0);
		const later = codeOf(auth.authorize({ ...REQUEST, user: "later" }));
		const question = await eventually("the server is asked again", () =>
			questions.find(({ text }) => text.includes('"user":"later"')),
		);
		answers(200)(question);
		expect(await later).toBe("allowed");
	});

	it("that is not there turns everybody away, and holds it against nobody", async () => {
		const { auth } = await setUp({ address: "http://127.0.0.1:1/" });
		expect(await codeOf(auth.authorize(REQUEST))).toBe("store.unavailable");
		expect(await codeOf(auth.authorize(NOTHING))).toBe("store.unavailable");
	});
});
