import { isPathName } from "../path-name.ts";

/** What is wrong with where readers are sent, as the end of a sentence; `null` when nothing is. */
export function redirectFault(target: string): string | null {
	if (target.startsWith("/")) return isPathName(target.slice(1)) ? null : "must be / and a path name, such as /camera";
	return /^rtsps?:\/\/[^/]/.test(target) ? null : "must be /another/path or an rtsp:// URL";
}
