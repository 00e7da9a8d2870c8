import { GoneError } from "#shared/problem.ts";
import type { SourceDriver } from "../paths/source.ts";
import { playFile } from "./play-file.ts";

/** `source: file`: the file of `sourceFile`, played in a loop as a camera. */
export function fileSource(): SourceDriver {
	return {
		type: "fileSource",
		schemes: ["file"],
		async run({ config, clock, publish }, signal) {
			const file = config.sourceFile;
			await playFile({ file, signal, clock, publish: (tracks) => publish(tracks, file) });
			throw new GoneError("session.closed", `${file} has ended`);
		},
	};
}
