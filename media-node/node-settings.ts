/** What parts of a node are made of its settings. Part of the wiring. */

import { isIP } from "node:net";
import path from "node:path";
import { addressOf } from "#shared/config/address.ts";
import { durationMs } from "#shared/config/duration.ts";
import type { Settings } from "#shared/config/settings.ts";
import type { PathName } from "#shared/path-name.ts";
import { InputError } from "#shared/problem.ts";
import { type AcmeSettings, certificateFiles } from "./acme/certificate-keeper.ts";
import { httpServerSettings } from "./http/http-server.ts";
import type { LiveHls } from "./live-hls.ts";
import type { PathHooks } from "./path-hooks.ts";
import type { Supply } from "./paths/demand.ts";
import type { ConfiguredPath } from "./paths/path-configs.ts";
import type { DemandSettings, PathTable } from "./paths/path-table.ts";
import type { Sources } from "./paths/sources.ts";
import { READER_BUDGET_BYTES } from "./rtsp/reader.ts";
import type { RtspServerSettings } from "./rtsp/server.ts";
import type { StreamTable } from "./stream/publication.ts";
import { DEFAULT_MAX_PACKET_BYTES } from "./stream/stream.ts";
import type { StreamEvents } from "./stream-events.ts";
import type { WebRtcServerSettings } from "./webrtc/server.ts";
import type { HostOptions } from "./webrtc/transport/host-candidates.ts";

/** What `writeQueueSize` counts: packets of Ethernet's size. */
const QUEUED_PACKET_BYTES = 1500;
/** The default of every setting `…ServerKey` and `…ServerCert`. */
const DEFAULT_TLS_FILES = { keyFile: "server.key", certFile: "server.crt" };
/** The default of `udpMaxPayloadSize`, MediaMTX's: it leaves room for IPv6. */
const DEFAULT_UDP_PAYLOAD = 1452;

/** The table as doors see it: a timeline that was taken for a publisher that was not let in is given back. */
export function gated(table: PathTable, hls: LiveHls): StreamTable {
	return {
		async publish(request, signal) {
			try {
				return await table.publish(request, signal);
			} catch (error) {
				await hls.release(request.path);
				throw error;
			}
		},
		expectVacancy: (request) => table.expectVacancy(request),
		read: (name, signal, query) => table.read(name, signal, query),
	};
}

/** What keeps the node's certificate; `null` when nothing does. @throws InputError `config.invalid` when it has no name */
export function acmeSettings(settings: Settings): AcmeSettings | null {
	const { acme, acmeNames, nodePublicHost, acmeDirectory: directory, acmeEmail: email, acmeAddress } = settings;
	if (!acme) return null;
	const names = acmeNames.length > 0 ? acmeNames : [nodePublicHost].filter((name) => name !== "");
	if (names.length === 0)
		throw new InputError("config.invalid", "acme is on, and the node has no name: set acmeNames or nodePublicHost");
	const identifiers = names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }));
	return { directory, email, identifiers, address: acmeAddress, folder: acmeFolder(settings) };
}

/** With `acme`, servers whose key and certificate nobody has set use the node's. */
export function withNodeCertificate(settings: Settings): Settings {
	if (!settings.acme) return settings;
	const { keyFile, certFile } = certificateFiles(acmeFolder(settings));
	const changed: Record<string, string> = {};
	for (const prefix of ["rtsp", "webrtc", "api", "metrics"] as const) {
		const [key, cert] = [`${prefix}ServerKey`, `${prefix}ServerCert`] as const;
		if (settings[key] !== DEFAULT_TLS_FILES.keyFile || settings[cert] !== DEFAULT_TLS_FILES.certFile) continue;
		changed[key] = keyFile;
		changed[cert] = certFile;
	}
	return { ...settings, ...changed };
}

function acmeFolder({ dataDir }: Settings): string {
	return path.join(dataDir, "acme");
}

/** Nobody's default is to make camera packets smaller that fit into IPv4 over Ethernet as they are. */
export function maxPacketBytes({ udpMaxPayloadSize }: Settings): number {
	return udpMaxPayloadSize === DEFAULT_UDP_PAYLOAD ? DEFAULT_MAX_PACKET_BYTES : udpMaxPayloadSize;
}

/** What is started when somebody reads a path that has no stream. */
export function demandSettings(
	sources: Sources,
	hooks: PathHooks,
	name: PathName,
	configured: ConfiguredPath,
	query: string,
): DemandSettings | null {
	const { config } = configured;
	if (config.sourceOnDemand) {
		return {
			startTimeoutMs: durationMs(config.sourceOnDemandStartTimeout),
			closeAfterMs: durationMs(config.sourceOnDemandCloseAfter),
			start: () => sources.start(name, configured, query),
		};
	}
	if (config.runOnDemand === "") return null;
	return {
		startTimeoutMs: durationMs(config.runOnDemandStartTimeout),
		closeAfterMs: durationMs(config.runOnDemandCloseAfter),
		start: () => {
			const moment = hooks.demand(name, configured, query);
			return { lastError: null, [Symbol.asyncDispose]: () => moment[Symbol.asyncDispose]() };
		},
	};
}

/** Tells of a supply when it starts and when it is stopped. */
export function told(events: StreamEvents, name: PathName, supply: Supply): Supply {
	events.demand(name, true);
	return {
		get lastError() {
			return supply.lastError;
		},
		async [Symbol.asyncDispose]() {
			events.demand(name, false);
			await supply[Symbol.asyncDispose]();
		},
	};
}

/** `null`: there is to be no RTSP server. */
export function rtspServerSettings(settings: Settings): RtspServerSettings | null {
	if (!settings.rtsp) return null;
	const { rtspEncryption, multicastIPRange: range } = settings;
	return {
		plain:
			rtspEncryption === "strict"
				? null
				: {
						address: addressOf(settings.rtspAddress),
						rtpAddress: addressOf(settings.rtpAddress),
						rtcpAddress: addressOf(settings.rtcpAddress),
						multicast: { range, rtpPort: settings.multicastRTPPort, rtcpPort: settings.multicastRTCPPort },
					},
		secure:
			rtspEncryption === "no"
				? null
				: {
						address: addressOf(settings.rtspsAddress),
						rtpAddress: addressOf(settings.srtpAddress),
						rtcpAddress: addressOf(settings.srtcpAddress),
						multicast: { range, rtpPort: settings.multicastSRTPPort, rtcpPort: settings.multicastSRTCPPort },
						keyFile: settings.rtspServerKey,
						certFile: settings.rtspServerCert,
					},
		transports: settings.rtspTransports,
		authMethods: settings.rtspAuthMethods,
		readBufferBytes: settings.udpReadBufferSize,
		trustedProxies: settings.rtspTrustedProxies,
		readTimeoutMs: durationMs(settings.readTimeout),
		writeTimeoutMs: durationMs(settings.writeTimeout),
		readerBudgetBytes: Math.max(READER_BUDGET_BYTES, settings.writeQueueSize * QUEUED_PACKET_BYTES),
	};
}

/** Which of our addresses peers are told, where we call them. Names that are added are of the port of the server. */
export function webrtcHosts(settings: Settings): HostOptions {
	return {
		fromInterfaces: settings.webrtcIPsFromInterfaces,
		interfaces: settings.webrtcIPsFromInterfacesList,
		additionalHosts: [],
	};
}

/** `null`: there is to be no WebRTC server. */
export function webrtcServerSettings(settings: Settings): WebRtcServerSettings | null {
	if (!settings.webrtc) return null;
	const listen = (key: "webrtcLocalUDPAddress" | "webrtcLocalTCPAddress") =>
		settings[key] === "" ? null : { ...addressOf(settings[key]), key };
	return {
		http: httpServerSettings(settings, "webrtc"),
		udp: listen("webrtcLocalUDPAddress"),
		tcp: listen("webrtcLocalTCPAddress"),
		readBufferBytes: settings.udpReadBufferSize,
		hosts: { ...webrtcHosts(settings), additionalHosts: settings.webrtcAdditionalHosts },
		iceServers: settings.webrtcICEServers2,
		handshakeTimeoutMs: durationMs(settings.webrtcHandshakeTimeout),
	};
}
