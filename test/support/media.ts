import { createHash } from "node:crypto";
import { access, mkdir, rename } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { run } from "./program.ts";

export type SampleOptions = {
	readonly seconds?: number;
	/** ffmpeg's encoder and its options; `null` for no video. */
	readonly video?: readonly string[] | null;
	readonly audio?: readonly string[] | null;
	readonly size?: string;
	readonly rate?: string;
	readonly extension?: string;
};

const X264 = [
	"libx264",
	"-preset",
	"ultrafast",
	"-tune",
	"zerolatency",
	"-g",
	"30",
	"-pix_fmt",
	"yuv420p",
	"-b:v",
	"800k",
];
const AAC = ["aac", "-b:a", "64k", "-ar", "48000", "-ac", "2"];

/** Makes a test film with ffmpeg, once for each set of options, in a folder that runs share; its file name. */
export async function sample(options: SampleOptions = {}): Promise<string> {
	const { seconds = 10, video = X264, audio = AAC, size = "640x360", rate = "30", extension = "mp4" } = options;
	const args: string[] = [];
	if (video !== null) args.push("-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}`);
	if (audio !== null) args.push("-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000");
	args.push("-t", String(seconds));
	if (video !== null) args.push("-c:v", ...video);
	if (audio !== null) args.push("-c:a", ...audio);
	const name = `${createHash("sha256").update(JSON.stringify(args)).digest("hex").slice(0, 16)}.${extension}`;
	const folder = path.join(os.tmpdir(), "sluice-samples");
	const file = path.join(folder, name);
	try {
		await access(file);
		return file;
	} catch {
		// Not made yet.
	}
	await mkdir(folder, { recursive: true });
	const draft = path.join(folder, `${process.pid}-${name}`);
	await run("ffmpeg", ["-v", "error", "-y", ...args, draft], 120_000);
	await rename(draft, file);
	return file;
}
