import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SluiceError } from "#shared/problem.ts";
import { Base64Stream } from "../../media-node/rtsp/base64-stream.ts";
import { httpHeadLength, parseHttpHead } from "../../media-node/rtsp/http-head.ts";
import { TunnelBody } from "../../media-node/rtsp/http-tunnel-body.ts";
import { isProxyHeader, parseProxyHeader } from "../../media-node/rtsp/proxy-protocol.ts";
import { eventually } from "../support/eventually.ts";
import { DoorWorld } from "../support/front-door.ts";
import { mutated } from "../support/mutate.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

const V1 = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 8554\r\n";
const V1_IPV6 = "PROXY TCP6 2001:db8::1 ::ffff:198.51.100.1 56324 8554\r\n";
const V2 = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\x21\x6a";
const V2_IPV6 = `\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24${"\x20\x01".repeat(16)}\xdc\x04\x21\x6a`;
const OPTIONS = "OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n";
const GET = "GET /cam HTTP/1.0\r\nx-sessioncookie: abc\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n";
const POST = "POST /cam HTTP/1.0\r\nx-sessioncookie: abc\r\nContent-Length: 8\r\n\r\nT1BUSU9O";
const UPGRADE =
	"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rtsp.onvif.org\r\n\r\n\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x80\x01\x02\x03\x04";
const PLAIN = [V1, V1_IPV6, V2, V2_IPV6].map(latin1);

/** What `run` gives; `null` for an error of the taxonomy. Anything else that is thrown fails the test. */
function tolerant<T>(run: () => T): T | null {
	try {
		return run();
	} catch (error) {
		if (error instanceof SluiceError) return null;
		throw error;
	}
}

describe(`hostile first bytes (FUZZ_SEED=${SEED})`, () => {
	it("make a PROXY header, an error of the taxonomy, or nothing yet; and a header lies within the bytes", () => {
		let whole = 0;
		fc.assert(
			fc.property(mutated(PLAIN), (bytes) => {
				if (isProxyHeader(bytes) === "no") return;
				const header = tolerant(() => parseProxyHeader(bytes));
				if (header === null) return;
				whole++;
				expect(header.bytes).toBeLessThanOrEqual(bytes.length);
				if (header.source !== null) expect(header.source.address).toMatch(/^[\d.]+$|^[\da-f:]+$/);
			}),
			{ seed: SEED, numRuns: 20_000 },
		);
		expect(whole).toBeGreaterThan(1000);
	});

	it("make an HTTP head or none", () => {
		fc.assert(
			fc.property(mutated([GET, POST, UPGRADE].map(latin1)), (bytes) => {
				const length = httpHeadLength(bytes);
				if (length === null) return;
				expect(length).toBeLessThanOrEqual(bytes.length);
				const head = parseHttpHead(bytes.subarray(0, length));
				for (const name of head?.headers.keys() ?? []) expect(name).toMatch(/^\S+$/);
			}),
			{ seed: SEED, numRuns: 10_000 },
		);
	});

	it("make the same base64, or the same error, however they are cut", () => {
		fc.assert(
			fc.property(
				mutated([latin1(Buffer.from(OPTIONS).toString("base64")), latin1("Zg==Zm8=Zm9v\r\n")]),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(bytes, place) => {
					const cut = Math.floor(place * bytes.length);
					const [whole, parts] = [new Base64Stream(), new Base64Stream()];
					const one = tolerant(() => Buffer.from(whole.push(bytes)).toString("hex"));
					const two = tolerant(() =>
						[bytes.subarray(0, cut), bytes.subarray(cut)]
							.map((part) => Buffer.from(parts.push(part)).toString("hex"))
							.join(""),
					);
					expect(two).toBe(one);
				},
			),
			{ seed: SEED, numRuns: 10_000 },
		);
	});

	it("lose no byte of a POST's body to the search for another request, however they are cut", () => {
		const alphabet = fc.constantFrom("P", "O", "S", "T", " ", "PO", "POST", "POST ", "A", "abcd");
		fc.assert(
			fc.property(fc.array(alphabet, { maxLength: 20 }), fc.nat(20), fc.array(fc.nat(6)), (words, declared, cuts) => {
				const bytes = latin1(words.join(""));
				const body = new TunnelBody(declared);
				let [text, next, at, n] = ["", "", 0, 0];
				while (at < bytes.length && next === "") {
					const end = at + 1 + (cuts[n++ % (cuts.length || 1)] ?? 100);
					const piece = body.push(bytes.subarray(at, end));
					text += Buffer.from(piece.text).toString("latin1");
					if (piece.next !== null) next = Buffer.from(piece.next).toString("latin1");
					at = Math.min(end, bytes.length);
				}
				const whole = Buffer.from(bytes.subarray(0, at)).toString("latin1");
				const behind = whole.slice(declared);
				if (next === "") {
					// What is held back is the start of a mark, and no more.
					const held = whole.slice(text.length);
					expect(whole.startsWith(text) && "POST".startsWith(held)).toBe(true);
				} else expect([text, next]).toEqual([whole.slice(0, declared), behind]);
				expect(next !== "").toBe(behind.startsWith("POST "));
			}),
			{ seed: SEED, numRuns: 10_000 },
		);
	});

	it("cannot crash the door, disturb another connection, or leave anything behind, on real sockets", async () => {
		await using world = await DoorWorld.open(["127.0.0.1"]);
		await world.call(OPTIONS);
		const witness = await world.guest();
		await eventually("the witness is whole", () => witness.received.length === OPTIONS.length);
		const seeds = [V1 + OPTIONS, V2 + GET, V1 + UPGRADE, V2_IPV6 + POST, GET, POST + POST, UPGRADE, OPTIONS].map(
			latin1,
		);
		const inputs = fc.sample(fc.tuple(mutated(seeds, 3), fc.double({ min: 0, max: 1, noNaN: true })), {
			seed: SEED,
			numRuns: 600,
		});
		for (const [bytes, place] of inputs) {
			const cut = Math.floor(place * bytes.length);
			const caller = await world.call(bytes.subarray(0, cut));
			await new Promise((resolve) => setImmediate(resolve));
			caller.socket.end(bytes.subarray(cut));
		}
		await eventually("all have left but the witness", () => world.accepted === 1 && world.door.waiting === 0);
		expect(world.guests.length).toBeGreaterThan(100);
		expect(new Set(world.guests.map(({ wire }) => wire.tunnel))).toEqual(new Set(["none", "http", "websocket"]));
		expect(world.guests.slice(1).every(({ closes }) => closes === 1)).toBe(true);
		expect(witness).toMatchObject({ closes: 0, ended: false });
		expect(world.clock.pending).toBe(0);
	});
});
