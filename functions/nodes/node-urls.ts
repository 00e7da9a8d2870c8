/** The addresses of a path on a node, for every protocol. Pure. */

import type { Heartbeat } from "#shared/nodes/heartbeat.ts";
import type { PathName } from "#shared/path-name.ts";

export type NodeUrls = {
	readonly rtsp: string | null;
	readonly rtsps: string | null;
	readonly whip: string | null;
	readonly whep: string | null;
	/** The page of the node that publishes or plays in a browser. */
	readonly page: string | null;
	readonly rtmp: string | null;
	readonly srt: string | null;
};

/** `ownHost`: the host under which the functions were asked, for a node that is on the same machine. */
export function nodeUrls(
	{ host: said, endpoints }: Heartbeat,
	action: "publish" | "read",
	path: PathName,
	ownHost: string,
): NodeUrls {
	const host = bracketed(said ?? ownHost);
	const web = webrtcBase({ host: said, endpoints }, ownHost);
	const of = (scheme: string, port: number | null) => (port === null ? null : `${scheme}://${host}:${port}/${path}`);
	return {
		rtsp: of("rtsp", endpoints.rtsp),
		rtsps: of("rtsps", endpoints.rtsps),
		whip: web === null || action === "read" ? null : `${web}/${path}/whip`,
		whep: web === null || action === "publish" ? null : `${web}/${path}/whep`,
		page: web === null ? null : `${web}/${path}/${action === "publish" ? "publish" : ""}`,
		rtmp: of("rtmp", endpoints.rtmp),
		srt: endpoints.srt === null ? null : `srt://${host}:${endpoints.srt}?streamid=${action}:${path}`,
	};
}

/** Where WHIP and WHEP are served, without a slash at the end; `null`: nowhere. */
export function webrtcBase({ host, endpoints }: Pick<Heartbeat, "host" | "endpoints">, ownHost: string): string | null {
	if (endpoints.webrtcURL !== null) return endpoints.webrtcURL.replace(/\/+$/, "");
	if (endpoints.webrtc === null) return null;
	return `${endpoints.webrtcEncryption ? "https" : "http"}://${bracketed(host ?? ownHost)}:${endpoints.webrtc}`;
}

/** Says whether a node serves a protocol at all. */
export function serves({ endpoints }: Pick<Heartbeat, "endpoints">, protocol: "webrtc"): boolean {
	return endpoints[protocol] !== null || endpoints.webrtcURL !== null;
}

/** RFC 3986 §3.2.2: an IPv6 address stands in brackets. */
function bracketed(host: string): string {
	return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
