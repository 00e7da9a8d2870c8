import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytesOfHex } from "../../../test/support/hex.ts";
import { hasIntegrity, parseStun } from "./stun.ts";
import { writeBindingError, writeBindingRequest, writeBindingSuccess } from "./stun-writer.ts";

const PASSWORD = createSecretKey("VOkJxbRl1RmTxUk/WvJxBt", "latin1");
/** RFC 5769 §2.1. */
const REQUEST = bytesOfHex(`
	00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
	80 22 00 10 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74
	00 24 00 04 6e 00 01 ff
	80 29 00 08 93 2f f9 b1 51 26 3b 36
	00 06 00 09 65 76 74 6a 3a 68 36 76 59 20 20 20
	00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2
	80 28 00 04 e5 7a 3b cf`);
/** RFC 5769 §2.2. */
const IPV4_RESPONSE = bytesOfHex(`
	01 01 00 3c 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
	80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
	00 20 00 08 00 01 a1 47 e1 12 a6 43
	00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7
	80 28 00 04 c0 7d 4c 96`);
/** RFC 5769 §2.3. */
const IPV6_RESPONSE = bytesOfHex(`
	01 01 00 48 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
	80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
	00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9
	00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84 c9 7c 82 92 c2 75 bf e3 ed 41
	80 28 00 04 c8 fb 0b 4c`);
const ID = bytesOfHex("b7 e7 a7 01 bc 34 d6 86 fa 87 df ae");

describe("parseStun", () => {
	it("reads the sample request of RFC 5769", () => {
		const message = parseStun(REQUEST);
		expect(message).toMatchObject({
			...{ kind: "request", transactionId: ID, username: "evtj:h6vY", priority: 0x6e0001ff },
			...{ role: "controlled", useCandidate: false, hasFingerprint: true, unknown: [] },
		});
		expect(message !== null && hasIntegrity(message, PASSWORD)).toBe(true);
	});

	it.each([
		["IPv4", IPV4_RESPONSE, "192.0.2.1"],
		["IPv6", IPV6_RESPONSE, "2001:db8:1234:5678:11:2233:4455:6677"],
	])("reads the sample response of RFC 5769 with an address of %s", (_family, bytes, address) => {
		const message = parseStun(bytes);
		expect(message?.kind).toBe("success");
		expect(message?.mappedAddress).toEqual({ address, port: 32853 });
		expect(message !== null && hasIntegrity(message, PASSWORD)).toBe(true);
	});

	it("finds no integrity with another password, nor after any change", () => {
		const message = parseStun(REQUEST)!;
		expect(hasIntegrity(message, createSecretKey("VOkJxbRl1RmTxUk/WvJxBs", "latin1"))).toBe(false);
		const changed = REQUEST.slice();
		changed[30] = changed[30]! ^ 1;
		expect(hasIntegrity({ ...message, bytes: changed }, PASSWORD)).toBe(false);
	});

	it("refuses every truncation, and every message with a byte changed", () => {
		for (let length = 0; length < REQUEST.length; length++) {
			expect(parseStun(REQUEST.subarray(0, length)), `${length} bytes`).toBeNull();
		}
		for (let at = 0; at < REQUEST.length; at++) {
			// As another optional attribute, the fingerprint says nothing: it is the integrity that proves.
			if (at === REQUEST.length - 8 || at === REQUEST.length - 7) continue;
			const changed = REQUEST.slice();
			changed[at] = changed[at]! ^ 0x40;
			expect(parseStun(changed), `byte ${at}`).toBeNull();
		}
	});

	it("does not believe what stands behind the integrity", () => {
		const request = writeBindingRequest(
			{
				...{ transactionId: ID, username: "a:b", priority: 1, role: "controlling" },
				...{ tieBreaker: 1n, useCandidate: false },
			},
			PASSWORD,
		);
		// USE-CANDIDATE in place of the fingerprint.
		const grown = new Uint8Array(request.length - 4);
		grown.set(request.subarray(0, request.length - 8));
		grown.set([0, 0x25, 0, 0], request.length - 8);
		grown[3] = grown.length - 20;
		const message = parseStun(grown)!;
		expect(message).toMatchObject({ useCandidate: false, hasFingerprint: false });
		expect(hasIntegrity(message, PASSWORD)).toBe(true);
	});
});

describe("the writer", () => {
	it("writes a request that is read as it was meant", () => {
		const request = {
			...{ transactionId: ID, username: "theirs:ours", priority: 0x7effffff, role: "controlling" as const },
			...{ tieBreaker: 2n ** 63n, useCandidate: true },
		};
		const message = parseStun(writeBindingRequest(request, PASSWORD))!;
		expect(message).toMatchObject({
			...{ kind: "request", transactionId: ID, username: "theirs:ours", priority: 0x7effffff },
			...{ role: "controlling", useCandidate: true, hasFingerprint: true },
		});
		expect(hasIntegrity(message, PASSWORD)).toBe(true);
	});

	it.each(["192.0.2.1", "2001:db8:1234:5678:11:2233:4455:6677", "::1", "2001:db8::", "fe80::1"])(
		"writes a response with the address %s",
		(address) => {
			const message = parseStun(writeBindingSuccess(ID, { address, port: 32853 }, PASSWORD))!;
			expect(message).toMatchObject({ kind: "success", mappedAddress: { address, port: 32853 } });
			expect(hasIntegrity(message, PASSWORD)).toBe(true);
		},
	);

	it("writes XOR-MAPPED-ADDRESS as the samples of RFC 5769 have it", () => {
		const v4 = writeBindingSuccess(ID, { address: "192.0.2.1", port: 32853 }, PASSWORD);
		expect(v4.subarray(20, 32)).toEqual(IPV4_RESPONSE.subarray(36, 48));
		const address = "2001:db8:1234:5678:11:2233:4455:6677";
		expect(writeBindingSuccess(ID, { address, port: 32853 }, PASSWORD).subarray(20, 44)).toEqual(
			IPV6_RESPONSE.subarray(36, 60),
		);
	});

	it("writes errors, with what was not understood", () => {
		const message = parseStun(writeBindingError(ID, 420, PASSWORD, [0x7f01, 0x7f02, 0x7f03]))!;
		expect(message).toMatchObject({ kind: "error", errorCode: 420 });
		expect(hasIntegrity(message, PASSWORD)).toBe(true);
		expect(parseStun(writeBindingError(ID, 401, null))).toMatchObject({ errorCode: 401, integrityAt: -1 });
	});
});
