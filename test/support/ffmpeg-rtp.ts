import dgram from "node:dgram";
import { eventually } from "./eventually.ts";
import { freeUdpPair } from "./free-port.ts";
import { run } from "./program.ts";

/** The RTP packets that ffmpeg sends of a file. `isEnough` says whether the last one that matters has come. */
export async function ffmpegPackets(file: string, isEnough: (packets: Buffer[]) => boolean): Promise<Buffer[]> {
	const ports = await freeUdpPair();
	const packets: Buffer[] = [];
	const rtp = dgram.createSocket({ type: "udp4", recvBufferSize: 4_000_000 }, (packet) => packets.push(packet));
	const rtcp = dgram.createSocket("udp4");
	try {
		await new Promise<void>((resolve) => rtp.bind(ports.rtp, "127.0.0.1", resolve));
		await new Promise<void>((resolve) => rtcp.bind(ports.rtcp, "127.0.0.1", resolve));
		const url = `rtp://127.0.0.1:${ports.rtp}?rtcpport=${ports.rtcp}&pkt_size=1200`;
		// Its VP9 is of a draft, and is wanted to be asked for.
		await run("ffmpeg", ["-v", "error", "-i", file, "-c", "copy", "-strict", "experimental", "-f", "rtp", url]);
		await eventually("ffmpeg's last packet", () => isEnough(packets));
	} finally {
		rtp.close();
		rtcp.close();
	}
	return packets;
}
