import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { clientServer, type IceServer, iceServerLink } from "./turn-credentials.ts";

const NOW = Date.UTC(2026, 0, 1);
const TURN: IceServer = {
	url: "turn:turn.example.com:3478",
	username: "AUTH_SECRET",
	password: "north",
	clientOnly: false,
};

describe("the ICE servers of clients", () => {
	it("have credentials for a day where the node shares a secret with the server", () => {
		const { username, password } = clientServer(TURN, NOW + 999, "6f1c-aa/..:\r\n0000000000000000000000");
		expect(username).toBe(`${NOW / 1000 + 86_400}:6f1caa00000000000000`);
		expect(password).toBe(createHmac("sha1", "north").update(username).digest("base64"));
	});

	// Made by: printf '%s' '1433895918:ninefingers' | openssl dgst -sha1 -hmac logen -binary | base64
	it("have a password that other implementations compute as well", () => {
		const server = { ...TURN, password: "logen" };
		const { username, password } = clientServer(server, (1_433_895_918 - 86_400) * 1000, "ninefingers");
		expect(username).toBe("1433895918:ninefingers");
		expect(password).toBe("HY+Vd729N0UZ/xCzjg1F0GsoMK8=");
	});

	it("are as they were configured else", () => {
		const server = { ...TURN, username: "user" };
		expect(clientServer(server, NOW, "name")).toEqual(server);
	});

	it("are told as RFC 9725 shows it", () => {
		const stun = { url: "stun:stun.example.net", username: "", password: "", clientOnly: false };
		expect(iceServerLink(stun)).toBe('<stun:stun.example.net>; rel="ice-server"');
		const turn = { ...TURN, url: "turn:turn.example.net?transport=udp", username: "user", password: "myPassword" };
		expect(iceServerLink(turn)).toBe(
			'<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"',
		);
	});

	it("cannot break out of their header", () => {
		const evil = { ...TURN, url: "turn:h>\r\nX: y", username: 'a"\r\nX: y', password: "b\\é" };
		expect(iceServerLink(evil)).toBe(
			'<turn:h%3E%0D%0AX:%20y>; rel="ice-server"; username="a\\"X: y"; credential="b\\\\"; credential-type="password"',
		);
	});
});
