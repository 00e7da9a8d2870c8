import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../../test/support/program.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import type { SrtpMasterKey } from "./profile.ts";
import { SrtcpContext } from "./srtcp-context.ts";
import { SrtpContext } from "./srtp-context.ts";

const SSRC = 1234;
const RTP = `media=audio,clock-rate=8000,encoding-name=PCMA,payload=8,ssrc=(uint)${SSRC}`;

/** By profile, what GStreamer calls its cipher and its authentication. */
const NAMES = [
	["AES_CM_128_HMAC_SHA1_80", "aes-128-icm", "hmac-sha1-80"],
	["AES_CM_128_HMAC_SHA1_32", "aes-128-icm", "hmac-sha1-32"],
	["AEAD_AES_128_GCM", "aes-128-gcm", "null"],
] as const;

function rtpPackets(count: number): Buffer[] {
	return Array.from({ length: count }, (_, i) => {
		const packet = Buffer.alloc(12 + 1 + ((i * 13) % 1200), i);
		packet.writeUInt16BE(0x8008, 0);
		packet.writeUInt16BE((65_400 + i) & 0xffff, 2);
		packet.writeUInt32BE(i * 160, 4);
		packet.writeUInt32BE(SSRC, 8);
		return packet;
	});
}

function reports(count: number): Buffer[] {
	return Array.from({ length: count }, (_, i) => {
		const report = Buffer.alloc(28, i);
		report.writeUInt32BE(0x80c80006, 0);
		report.writeUInt32BE(SSRC, 4);
		return report;
	});
}

/** Packets behind 16 bits of length, each. RFC 4571 §2. */
function framed(packets: readonly Uint8Array[]): Buffer {
	return Buffer.concat(packets.flatMap((packet) => [Buffer.of(packet.length >> 8, packet.length), packet]));
}

function unframed(bytes: Buffer): Buffer[] {
	const packets: Buffer[] = [];
	for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) {
		packets.push(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)));
	}
	return packets;
}

type Context = SrtpContext | SrtcpContext;

function protectAll(context: Context, packets: readonly Uint8Array[]): Buffer[] {
	return packets.map((packet) => {
		const out = Buffer.alloc(packet.length + context.overheadBytes);
		expect(context.protect(packet, 0, packet.length, out, 0)).toBe(out.length);
		return out;
	});
}

function unprotectAll(context: Context, packets: readonly Uint8Array[]): Buffer[] {
	return packets.map((packet) => {
		const out = Buffer.alloc(packet.length);
		return out.subarray(0, context.unprotect(packet, 0, packet.length, out, 0));
	});
}

/** What comes out of elements of GStreamer when packets go in. */
async function throughGstreamer(packets: readonly Uint8Array[], caps: string, elements: string): Promise<Buffer[]> {
	await using folder = await tempDir();
	const [input, output] = [path.join(folder.path, "in"), path.join(folder.path, "out")];
	await writeFile(input, framed(packets));
	const [source, sink] = [`filesrc location=${input}`, `filesink location=${output}`];
	const pipeline = `-q ${source} ! ${caps} ! rtpstreamdepay ! ${elements} ! rtpstreampay ! ${sink}`;
	await run("gst-launch-1.0", pipeline.split(" "));
	return unframed(await readFile(output));
}

const hasPlugin = spawnSync("gst-inspect-1.0", ["srtp"]).status === 0;

describe.skipIf(!hasPlugin).each(NAMES)("GStreamer and %s", (profile, cipher, authentication) => {
	const salt = randomBytes(profile === "AEAD_AES_128_GCM" ? 12 : 14);
	const master: SrtpMasterKey = { profile, key: randomBytes(16), salt };
	const key = Buffer.concat([master.key, master.salt]).toString("hex");
	const names = `srtp-cipher=${cipher},srtp-auth=${authentication},srtcp-cipher=${cipher}`;
	// It takes the short tag for RTCP too, if told so, where RFC 4568 §6.2.2 does not.
	const rtcpAuthentication = authentication === "hmac-sha1-32" ? "hmac-sha1-80" : authentication;
	const authentications = `rtp-auth=${authentication} rtcp-auth=${rtcpAuthentication}`;
	const encoder = `key=${key} rtp-cipher=${cipher} rtcp-cipher=${cipher} ${authentications}`;
	const secret = `srtp-key=(buffer)${key},${names},srtcp-auth=${rtcpAuthentication}`;

	it("decrypt each other's RTP over a wrap of the sequence", async () => {
		const clear = rtpPackets(300);
		const theirs = await throughGstreamer(clear, `application/x-rtp-stream,${RTP}`, `srtpenc ${encoder}`);
		expect(unprotectAll(new SrtpContext(master), theirs)).toEqual(clear);

		const ours = protectAll(new SrtpContext(master), clear);
		const back = await throughGstreamer(ours, `application/x-srtp-stream,${RTP},${secret}`, "srtpdec");
		expect(back).toEqual(clear);
	});

	it("decrypt each other's RTCP", async () => {
		const clear = reports(20);
		const elements = `e.rtcp_sink_0 srtpenc name=e ${encoder} e.rtcp_src_0`;
		const theirs = await throughGstreamer(clear, "application/x-rtcp-stream", elements);
		expect(unprotectAll(new SrtcpContext(master), theirs)).toEqual(clear);

		const ours = protectAll(new SrtcpContext(master), clear);
		const caps = `application/x-srtcp-stream,ssrc=(uint)${SSRC},${secret}`;
		const back = await throughGstreamer(ours, caps, "d.rtcp_sink srtpdec name=d d.rtcp_src");
		expect(back).toEqual(clear);
	});

	it("decrypt each other's packets that carry a master key identifier", async () => {
		const marked = { ...master, mki: Buffer.from("01020304", "hex") };
		const clear = rtpPackets(20);
		const theirs = await throughGstreamer(clear, `application/x-rtp-stream,${RTP}`, `srtpenc ${encoder} mki=01020304`);
		expect(unprotectAll(new SrtpContext(marked), theirs)).toEqual(clear);

		const ours = protectAll(new SrtpContext(marked), clear);
		const caps = `application/x-srtp-stream,${RTP},${secret},mki=(buffer)01020304`;
		expect(await throughGstreamer(ours, caps, "srtpdec")).toEqual(clear);
	});
});
