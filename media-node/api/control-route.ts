/** What one endpoint of the control API is made of. */

import type { Settings } from "#shared/config/settings.ts";
import type { AccessRequest, Grant } from "../access/access.ts";
import type { ForwardSnapshot } from "../paths/forward-runner.ts";
import type { PathConfigs } from "../paths/path-configs.ts";
import type { SessionSnapshot } from "../rtsp/session-state.ts";
import type { StreamSnapshot } from "../stream/stream.ts";
import type { PeerSnapshot } from "../webrtc/peer-session.ts";

/** The node, as the control API sees it. */
export type ControlParts = {
	readonly version: string;
	/** When the node started, milliseconds since the Unix epoch. */
	readonly startedMs: number;
	/** As they are now, with what was asked for last. */
	settings(): Settings;
	/** Takes over other settings, until the file is read again. @throws InputError `config.invalid`, `listen.in_use` */
	configure(next: Settings): Promise<void>;
	/** Every path's settings as they are now, those of documents in the bucket included. */
	configs(): PathConfigs;
	/** The streams that there are. */
	paths(): readonly StreamSnapshot[];
	/** The destinations of a path, in their order. */
	forwards(path: string): readonly ForwardSnapshot[];
	/** Connections of RTSP and RTSPS. */
	sessions(): readonly SessionSnapshot[];
	/** Sessions of WebRTC. */
	peers(): readonly PeerSnapshot[];
	/** Ends a session of either kind. Says whether there was one. */
	kick(id: string): boolean;
	/** Reads the keys of tokens again. @throws StoreError `store.unavailable` */
	refreshKeys(): Promise<void>;
	/** @throws DeniedError when the client may not use the API */
	authorize(request: AccessRequest, signal: AbortSignal): Promise<Grant>;
};

/** What a client asks of an endpoint. */
export type ControlCall = {
	/** What stands for the `*` of the route, decoded; never empty. */
	readonly name: string;
	readonly query: URLSearchParams;
	/** The body as a JSON object. @throws InputError `input.invalid`, `input.too_large` */
	readonly json: () => Promise<Readonly<Record<string, unknown>>>;
};

export type ControlRoute = {
	readonly method: "GET" | "POST" | "PATCH" | "DELETE";
	/** Below `/v3`. `*` at its end stands for a name, which may hold slashes, or an ID. */
	readonly path: string;
	/** What is answered, as JSON; `undefined`: that it is done. Throws SluiceError. */
	readonly handle: (call: ControlCall) => unknown;
};
