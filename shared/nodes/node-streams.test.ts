import { describe, expect, it } from "vitest";
import { nodeStreamOf } from "../../test/support/nodes.ts";
import { nodeStreamsHash, readNodeStreams } from "./node-streams.ts";

const stream = nodeStreamOf("cam/1", {
	warnings: [{ code: "no_audio", message: "There is no sound", since: "2026-11-21T12:00:10.000Z" }],
});
const text = JSON.stringify({ v: 1, id: "node-1", streams: [stream] });

describe("what a node says of its streams", () => {
	it("is read when the heartbeat vouches for it", async () => {
		expect((await readNodeStreams(text, "node-1", await nodeStreamsHash(text)))?.streams).toEqual([stream]);
	});

	it("is not believed with another hash, or of another node", async () => {
		expect(await readNodeStreams(text, "node-1", await nodeStreamsHash(`${text} `))).toBeNull();
		expect(await readNodeStreams(text, "node-2", await nodeStreamsHash(text))).toBeNull();
	});

	it("has the hash that sha256sum gives", async () => {
		// FIPS 180-4, the message "abc".
		const known = Buffer.from("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "hex");
		expect(await nodeStreamsHash("abc")).toBe(known.toString("base64url"));
	});

	it("gives nothing for every truncation of it, though the node vouches for that", async () => {
		for (let length = 0; length < text.length; length += 7) {
			const cut = text.slice(0, length);
			expect(await readNodeStreams(cut, "node-1", await nodeStreamsHash(cut))).toBeNull();
		}
	});

	it("has some 700 bytes a stream, so that 500 streams fit well", () => {
		expect(JSON.stringify(stream).length * MAX_RATIO).toBeLessThan(4 * 1024 * 1024);
	});
});

const MAX_RATIO = 5_000;
