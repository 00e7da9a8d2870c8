import { expect, test } from "vitest";
import { iceServersOf } from "./ice-links.ts";

/** RFC 9725 §4.6, figure 5. */
const OF_THE_RFC = [
	'<stun:stun.example.net>; rel="ice-server"',
	'<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"',
	'<turn:turn.example.net?transport=tcp>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"',
	'<turns:turn.example.net?transport=tcp>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"',
].join(", ");

test("reads the example of RFC 9725", () => {
	const turn = { username: "user", credential: "myPassword" };
	expect(iceServersOf(OF_THE_RFC)).toEqual([
		{ urls: "stun:stun.example.net" },
		{ urls: "turn:turn.example.net?transport=udp", ...turn },
		{ urls: "turn:turn.example.net?transport=tcp", ...turn },
		{ urls: "turns:turn.example.net?transport=tcp", ...turn },
	]);
});

test("reads quoted commas, semicolons and backslashes, and tokens without quotes", () => {
	expect(iceServersOf('<turn:t>;rel=ice-server;username="a\\"b,<c>;d";credential="\\\\"')).toEqual([
		{ urls: "turn:t", username: 'a"b,<c>;d', credential: "\\" },
	]);
});

test("passes over other links and other schemes", () => {
	expect(
		iceServersOf('<https://h/>; rel="next", <javascript:x>; rel="ice-server", <stun:s>; rel="ice-server"'),
	).toEqual([{ urls: "stun:s" }]);
	expect(iceServersOf(null)).toEqual([]);
	expect(iceServersOf("")).toEqual([]);
});

test("makes something or nothing of each truncation, and bounds what it makes", () => {
	for (let end = 0; end < OF_THE_RFC.length; end++)
		expect(iceServersOf(OF_THE_RFC.slice(0, end)).length).toBeLessThan(5);
	expect(iceServersOf("<stun:s>; rel=ice-server, ".repeat(200))).toHaveLength(16);
});
