import { Program } from "./program.ts";

/** VLC that plays `url` without a window, and says what it does. `home`: a folder for its settings. */
export function watchWithVlc(url: string, home: string): Program {
	const vlc = ["cvlc", "-vv", "-I", "dummy", "--vout", "dummy", "--aout", "dummy", url, "vlc://quit"];
	// VLC does not run as root. setpriv, unlike runuser, becomes VLC: no process is left behind when it is killed.
	const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
	const [command = "", ...args] = process.getuid?.() === 0 ? [...asNobody, ...vlc] : vlc;
	return new Program(command, args, { env: { HOME: home } });
}
