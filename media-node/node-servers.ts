/** The servers of a node: what listens, and is opened again when its settings change. Part of the wiring. */

import type { Clock } from "#shared/clock.ts";
import type { Settings } from "#shared/config/settings.ts";
import type { Authenticator } from "./access/access.ts";
import { type AcmeSettings, CertificateKeeper } from "./acme/certificate-keeper.ts";
import { openControlApi } from "./api/control-api.ts";
import type { ControlParts } from "./api/control-route.ts";
import { openMetrics } from "./api/metrics-api.ts";
import { hookEnvironment } from "./hooks/hook-environment.ts";
import type { HookRunner } from "./hooks/hook-runner.ts";
import { type HttpServer, type HttpServerSettings, httpServerSettings } from "./http/http-server.ts";
import type { Logger } from "./log.ts";
import type { NodeMetrics } from "./node-metrics.ts";
import { acmeSettings, rtspServerSettings, webrtcServerSettings, withNodeCertificate } from "./node-settings.ts";
import { Replaceable } from "./replaceable.ts";
import { RtspServer, type RtspServerSettings } from "./rtsp/server.ts";
import type { StreamTable } from "./stream/publication.ts";
import type { SoundInOpus } from "./transcode/opus-of.ts";
import { WebRtcServer, type WebRtcServerSettings } from "./webrtc/server.ts";

/** What the servers themselves answer the control API. */
type OfServers = "sessions" | "peers" | "kick" | "authorize";

export type NodeServersOptions = {
	/** As they are now. */
	readonly settings: () => Settings;
	readonly table: StreamTable;
	readonly authenticator: Authenticator;
	readonly sound: SoundInOpus;
	readonly runner: HookRunner;
	readonly metrics: NodeMetrics;
	readonly control: Omit<ControlParts, OfServers>;
	readonly clock: Clock;
	readonly log: Logger;
};

/** None listens before the first {@link apply}. */
export class NodeServers implements AsyncDisposable {
	readonly #parts = new AsyncDisposableStack();
	readonly #certificate: Replaceable<AcmeSettings | null, CertificateKeeper>;
	readonly #rtsp: Replaceable<RtspServerSettings | null, RtspServer>;
	readonly #webrtc: Replaceable<WebRtcServerSettings | null, WebRtcServer>;
	readonly #metrics: Replaceable<HttpServerSettings | null, HttpServer>;
	readonly #api: Replaceable<HttpServerSettings | null, HttpServer>;

	constructor({ settings, table, authenticator, sound, runner, metrics, control, clock, log }: NodeServersOptions) {
		const shared = { table, authenticator, clock, log };
		const authorize: ControlParts["authorize"] = (request, stop) => authenticator.authorize(request, stop);
		this.#certificate = this.#switched((acme) => CertificateKeeper.open({ ...acme, clock, log }));
		this.#rtsp = this.#switched((server) =>
			RtspServer.open({
				...server,
				...shared,
				onConnection: (connection) => {
					const environment = hookEnvironment({ connection, rtspPort: this.rtsp?.port ?? null });
					return runner.begin("runOnConnect", settings(), environment);
				},
			}),
		);
		this.#webrtc = this.#switched((server) =>
			WebRtcServer.open({ ...server, ...shared, opusOf: (stream) => sound.opusOf(stream) }),
		);
		this.#metrics = this.#switched((server) =>
			openMetrics({ server, registry: metrics.registry, authorize, clock, log }),
		);
		const parts: ControlParts = {
			...control,
			sessions: () => this.rtsp?.sessions() ?? [],
			peers: () => this.webrtc?.sessions() ?? [],
			kick: (id) => this.rtsp?.kick(id) === true || this.webrtc?.kick(id) === true,
			authorize,
		};
		this.#api = this.#switched((server) => openControlApi({ server, parts, clock, log }));
	}

	/** `null` while it is switched off. */
	get rtsp(): RtspServer | null {
		return this.#rtsp.part;
	}

	/** `null` while it is switched off. */
	get webrtc(): WebRtcServer | null {
		return this.#webrtc.part;
	}

	/** Opens, closes and replaces what settings touch. @throws InputError `listen.in_use`, `config.invalid` */
	async apply(settings: Settings): Promise<void> {
		// First, since the servers open with its files.
		await this.#certificate.apply(acmeSettings(settings));
		const servers = withNodeCertificate(settings);
		await this.#rtsp.apply(rtspServerSettings(servers));
		await this.#webrtc.apply(webrtcServerSettings(servers));
		await this.#metrics.apply(servers.metrics ? httpServerSettings(servers, "metrics") : null);
		await this.#api.apply(servers.api ? httpServerSettings(servers, "api") : null);
	}

	/** Who was granted something is asked again, since the answer may be another now. */
	reauthorize(): void {
		this.rtsp?.reauthorize();
		this.webrtc?.reauthorize();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#parts.disposeAsync();
	}

	/** A part that is switched off by settings that are `null`. */
	#switched<S, Part extends AsyncDisposable>(open: (settings: S) => Promise<Part>): Replaceable<S | null, Part> {
		return this.#parts.use(
			new Replaceable<S | null, Part>((settings) => (settings === null ? Promise.resolve(null) : open(settings))),
		);
	}
}
