import { describe, expect, it } from "vitest";
import { answerBasic, answerDigest, ClientAuth, type DigestChallenge, parseChallenges } from "./client-auth.ts";

const MUFASA = { user: "Mufasa", password: "Circle Of Life" };
const RFC_2617 =
	'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
	'opaque="5ccc069c403ebaf9f0171e9517f40e41"';
/** RFC 7616 §3.9.1: two headers, as they are joined by a parser. */
const RFC_7616 =
	'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, ' +
	'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", ' +
	'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, ' +
	'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const CNONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

const digestOf = (header: string, index = 0) => parseChallenges(header)[index] as DigestChallenge;
const responseOf = (authorization: string) => /response="([^"]*)"/.exec(authorization)?.[1];

describe("answering a challenge", () => {
	it("gives the Digest of RFC 2617 §3.5", () => {
		const use = { method: "GET", uri: "/dir/index.html", count: 1, cnonce: "0a4f113b" };
		expect(answerDigest(digestOf(RFC_2617), MUFASA, use)).toBe(
			'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
				'uri="/dir/index.html", response="6629fae49393a05397450978507c4ef1", ' +
				'opaque="5ccc069c403ebaf9f0171e9517f40e41", qop=auth, nc=00000001, cnonce="0a4f113b"',
		);
	});

	it("gives both Digests of RFC 7616 §3.9.1", () => {
		const user = { user: "Mufasa", password: "Circle of Life" };
		const use = { method: "GET", uri: "/dir/index.html", count: 1, cnonce: CNONCE_7616 };
		const [sha256, md5] = [digestOf(RFC_7616), digestOf(RFC_7616, 1)];
		expect([sha256.algorithm, md5.algorithm]).toEqual(["SHA-256", "MD5"]);
		expect(responseOf(answerDigest(sha256, user, use))).toBe(
			"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
		);
		expect(responseOf(answerDigest(md5, user, use))).toBe("8ca523f5e9506fed4657c9700eebdbec");
		expect(answerDigest(sha256, user, use)).toContain(", algorithm=SHA-256,");
	});

	it("gives the Digest of RFC 2069 to a server that knows no qop", () => {
		const challenge = digestOf('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"');
		// RFC 2069 §2.4 with its erratum 749.
		const user = { user: "Mufasa", password: "CircleOfLife" };
		const answer = answerDigest(challenge, user, { method: "GET", uri: "/dir/index.html", count: 1, cnonce: "x" });
		expect(responseOf(answer)).toBe("1949323746fe6a43ef61f9606e7febea");
		expect(answer).not.toMatch(/qop|nc=|cnonce|algorithm/);
	});

	it("gives the Basic of RFC 7617 §2 and §2.1", () => {
		expect(answerBasic({ user: "Aladdin", password: "open sesame" })).toBe("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
		expect(answerBasic({ user: "test", password: "123£" })).toBe("Basic dGVzdDoxMjPCow==");
	});

	it("escapes what would end a quoted string", () => {
		const use = { method: "OPTIONS", uri: "rtsp://h/", count: 1, cnonce: "c" };
		const answer = answerDigest(digestOf('Digest realm="a \\"b\\" c", nonce="n"'), { user: 'x"y', password: "" }, use);
		expect(answer).toContain('username="x\\"y", realm="a \\"b\\" c"');
	});
});

describe("reading challenges", () => {
	it("puts Digest before Basic, and SHA-256 before MD5, in whatever order they come", () => {
		const header = 'Basic realm="x", Digest realm="x", nonce="1", Digest realm="x", nonce="2", algorithm="SHA-256"';
		expect(parseChallenges(header).map((c) => (c.scheme === "basic" ? "basic" : c.algorithm))).toEqual([
			"SHA-256",
			"MD5",
			"basic",
		]);
	});

	it("reads what cameras write without quotes, in other cases, and with commas in quotes", () => {
		expect(parseChallenges("digest REALM=IP Camera, Nonce=abc,stale=TRUE , algorithm=md5")).toMatchObject([
			{ realm: "IP Camera", nonce: "abc", stale: true, algorithm: "MD5", qop: null },
		]);
		expect(parseChallenges('Basic realm="a, Digest nonce=1"')).toEqual([
			{ scheme: "basic", realm: "a, Digest nonce=1" },
		]);
		expect(parseChallenges("Basic")).toEqual([{ scheme: "basic", realm: "" }]);
	});

	it("leaves out what it cannot answer", () => {
		for (const header of [
			"",
			",,",
			'Negotiate, Bearer realm="x"',
			'Digest realm="x"',
			'Digest realm="x", nonce="n", algorithm=SHA-512-256',
			'Digest realm="x", nonce="n", qop="auth-int"',
			'realm="x", nonce="n"',
			'"',
		])
			expect(parseChallenges(header), header).toEqual([]);
	});

	it("survives every truncation", () => {
		for (let end = 0; end <= RFC_7616.length; end++)
			expect(Array.isArray(parseChallenges(RFC_7616.slice(0, end)))).toBe(true);
	});
});

describe("a client's credentials", () => {
	const auth = () => new ClientAuth(MUFASA, () => "0a4f113b");

	it("are not shown before they are asked for", () => {
		const it = auth();
		expect(it.authorization("OPTIONS", "rtsp://h/")).toBeNull();
		expect(it.challenged(RFC_2617)).toBe("new");
		expect(it.authorization("OPTIONS", "rtsp://h/")).toContain("Digest ");
	});

	it("count the uses of a nonce, and begin again with another one", () => {
		const it = auth();
		const count = () => /nc=(\w+)/.exec(it.authorization("GET_PARAMETER", "rtsp://h/") ?? "")?.[1];
		it.challenged(RFC_2617);
		expect([count(), count()]).toEqual(["00000001", "00000002"]);
		it.challenged(RFC_2617);
		expect(count()).toBe("00000003");
		expect(it.challenged(`${RFC_2617.replace("dcd9", "ffff")}, stale=true`)).toBe("stale");
		expect(count()).toBe("00000001");
	});

	it("have no answer to what is not known, nor when there is no user", () => {
		expect(auth().challenged('Bearer realm="x"')).toBe("unknown");
		const nobody = new ClientAuth({ user: "", password: "" });
		nobody.challenged(RFC_2617);
		expect([nobody.hasUser, nobody.authorization("OPTIONS", "rtsp://h/")]).toEqual([false, null]);
	});
});
