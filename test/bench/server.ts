/** The server of a bench, open to everybody on ports of its own choice. */

import { pino } from "pino";
import { systemClock } from "#shared/clock.ts";
import { DEFAULT_PATH_CONFIG } from "#shared/config/path-config.ts";
import type { Logger } from "../../media-node/log.ts";
import { PathConfigs } from "../../media-node/paths/path-configs.ts";
import { PathTable } from "../../media-node/paths/path-table.ts";
import { READER_BUDGET_BYTES } from "../../media-node/rtsp/reader.ts";
import { RtspServer } from "../../media-node/rtsp/server.ts";
import type { Publication } from "../../media-node/stream/publication.ts";
import { H264_TRACK, nal, rtpPacket } from "../support/rtp-stream.ts";
import { FRAME_RATE, PACKET_BYTES, PACKETS_PER_FRAME } from "./fanout.ts";

export const log: Logger = pino({ level: "error" });

type TableOptions = ConstructorParameters<typeof PathTable>[0];

export function openTable(more: Partial<TableOptions> = {}): PathTable {
	return new PathTable({
		clock: systemClock,
		log,
		configs: new PathConfigs({ pathDefaults: DEFAULT_PATH_CONFIG, paths: { all_others: {} } }),
		...more,
	});
}

export function openRtsp(table: PathTable, transports: readonly ("tcp" | "udp")[] = ["tcp"]): Promise<RtspServer> {
	const anyPort = { host: "127.0.0.1", port: 0 };
	return RtspServer.open({
		plain: {
			address: anyPort,
			rtpAddress: anyPort,
			rtcpAddress: anyPort,
			multicast: { range: "224.1.0.0/16", rtpPort: 8002, rtcpPort: 8003 },
		},
		secure: null,
		transports,
		authMethods: ["basic"],
		readBufferBytes: 0,
		trustedProxies: [],
		readTimeoutMs: 60_000,
		writeTimeoutMs: 10_000,
		readerBudgetBytes: READER_BUDGET_BYTES,
		table,
		authenticator: { authorize: async () => ({ subject: "bench", expiresMs: null }) },
		clock: systemClock,
		log,
	});
}

/** The packets of one frame of a camera: a slice in FU-A fragments, RFC 6184 §5.8. */
export function frameOfPackets(packets = PACKETS_PER_FRAME, packetBytes = PACKET_BYTES): Uint8Array[] {
	return Array.from({ length: packets }, (_, i) => {
		const payload = nal(28, packetBytes - 12);
		payload[1] = 0x01;
		return rtpPacket({ sequence: 0, timestamp: 0, payload, marker: i === packets - 1 });
	});
}

/** The next frame in the packets of the one before; a key frame begins each second. */
export class FrameClock {
	#sequence = 0;
	#timestamp = 0;
	#frames = 0;

	renew(packets: readonly Uint8Array[]): void {
		const type = this.#frames++ % FRAME_RATE === 0 ? 5 : 1;
		for (const [i, packet] of packets.entries()) {
			packet[2] = this.#sequence >> 8;
			packet[3] = this.#sequence & 0xff;
			new DataView(packet.buffer, packet.byteOffset).setUint32(4, this.#timestamp);
			packet[13] = (i === 0 ? 0x80 : 0) | (i === packets.length - 1 ? 0x40 : 0) | type;
			this.#sequence = (this.#sequence + 1) & 0xffff;
		}
		this.#timestamp = (this.#timestamp + 90_000 / FRAME_RATE) >>> 0;
	}
}

/** Calls `run` each time that a frame is due; what is more than 100 ms late is left out. */
export function eachFrame(run: () => void): void {
	let next = performance.now();
	const pace = () => {
		run();
		next = Math.max(next + 1000 / FRAME_RATE, performance.now() - 100);
		setTimeout(pace, Math.max(0, next - performance.now()));
	};
	pace();
}

/** Publishes on `bench` from within the server: each frame is what one read of a camera's socket brings. */
export async function publishHere(
	table: PathTable,
	path: Parameters<PathTable["read"]>[0],
	{ frame = frameOfPackets(), isSending = (): boolean => true } = {},
): Promise<Publication> {
	const publication = await table.publish({
		path,
		tracks: [H264_TRACK],
		publisher: { id: "bench", protocol: "bench", remoteAddress: "-" },
		onEvicted: () => undefined,
	});
	const clock = new FrameClock();
	eachFrame(() => {
		if (!isSending()) return;
		clock.renew(frame);
		for (const packet of frame) publication.writePacket(0, packet, 0, packet.length);
		publication.flush();
	});
	return publication;
}
