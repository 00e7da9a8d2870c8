/** The ICE servers that clients are told of, RFC 9725 §4.6. */

import { createHmac } from "node:crypto";

/** As `webrtcICEServers2` has it. */
export type IceServer = {
	/** `stun:`, `turn:` or `turns:`. */
	readonly url: string;
	readonly username: string;
	readonly password: string;
	/** Clients use it; the node does not. */
	readonly clientOnly: boolean;
};

/** The user name of a server whose password is a secret that the node shares with it. */
const AUTH_SECRET = "AUTH_SECRET";
const LIFETIME_S = 24 * 60 * 60;
const RANDOM_NAME_LENGTH = 20;

/**
 * The server with credentials for one client. Those of `AUTH_SECRET` are for 24 hours: draft-uberti-behave-turn-rest
 * §2.2. `name`: what the server shows in its logs for this client, of which the first 20 letters and digits count.
 */
export function clientServer(server: IceServer, nowMs: number, name: string): IceServer {
	if (server.username !== AUTH_SECRET) return server;
	const expires = Math.floor(nowMs / 1000) + LIFETIME_S;
	const username = `${expires}:${name.replaceAll(/[^A-Za-z0-9]/g, "").slice(0, RANDOM_NAME_LENGTH)}`;
	return { ...server, username, password: createHmac("sha1", server.password).update(username).digest("base64") };
}

/** The value of a header `Link` for a server, RFC 9725 §4.6 and RFC 8288 §3. */
export function iceServerLink({ url, username, password }: IceServer): string {
	const link = `<${encodeURI(url).replaceAll(/[<>]/g, "")}>; rel="ice-server"`;
	if (username === "") return link;
	return `${link}; username=${quoted(username)}; credential=${quoted(password)}; credential-type="password"`;
}

/** A quoted string, RFC 9110 §5.6.4. Headers are of Latin characters, and what is none cannot be said. */
function quoted(text: string): string {
	return `"${text.replaceAll(/[^\x20-\x7e]/g, "").replaceAll(/["\\]/g, "\\$&")}"`;
}
