import { Program, run } from "./program.ts";

/** Publishes a file in a loop, in real time. */
export function publish(
	file: string,
	url: string,
	{ transport = "tcp", loop = true }: { transport?: "tcp" | "udp"; loop?: boolean } = {},
): Program {
	const loops = loop ? ["-stream_loop", "-1"] : [];
	return new Program("ffmpeg", [
		"-v",
		"warning",
		"-re",
		...loops,
		"-i",
		file,
		"-c",
		"copy",
		"-f",
		"rtsp",
		"-rtsp_transport",
		transport,
		url,
	]);
}

export type ProbedPacket = {
	readonly pts: number;
	readonly dts: number;
	readonly size: number;
	readonly key: boolean;
	readonly hash: string;
};

/** The packets of one elementary stream, such as `v:0`, each with a hash of its bytes. */
export async function probePackets(
	input: string,
	stream: string,
	options: readonly string[] = [],
): Promise<ProbedPacket[]> {
	const args = [
		"-v",
		"error",
		...options,
		"-select_streams",
		stream,
		"-show_packets",
		"-show_data_hash",
		"sha256",
		"-of",
		"json",
		input,
	];
	const { packets } = JSON.parse((await run("ffprobe", args)).toString()) as { packets: Record<string, string>[] };
	return packets.map((packet) => ({
		pts: Number(packet["pts"]),
		dts: Number(packet["dts"]),
		size: Number(packet["size"]),
		key: packet["flags"]?.startsWith("K") === true,
		hash: packet["data_hash"] ?? "",
	}));
}
