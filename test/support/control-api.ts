import type { AccessRequest } from "../../media-node/access/access.ts";
import { openControlApi } from "../../media-node/api/control-api.ts";
import type { ControlParts } from "../../media-node/api/control-route.ts";
import { readConfig } from "../../media-node/config/read-config.ts";
import { httpServerSettings } from "../../media-node/http/http-server.ts";
import { createLogger } from "../../media-node/log.ts";
import { PathConfigs } from "../../media-node/paths/path-configs.ts";
import { systemClock } from "../../shared/clock.ts";
import type { Settings } from "../../shared/config/settings.ts";

export const quiet = createLogger({ level: "error", structured: true, destinations: [] }).log;

export type Answer = { readonly status: number; readonly headers: Headers; readonly json: unknown };

export type ControlApiUnderTest = AsyncDisposable & {
	readonly url: string;
	/** What was configured last. */
	settings(): Settings;
	/** As {@link ControlParts.authorize} was asked. */
	readonly asked: readonly AccessRequest[];
	get(path: string): Promise<Answer>;
	send(method: string, path: string, body?: unknown): Promise<Answer>;
};

/** The control API of a node that is not there: its settings are those of `file`, a mediamtx.yml. */
export async function controlApi(
	file: string,
	parts: Partial<ControlParts> & { readonly onConfigure?: (next: Settings) => Promise<void> } = {},
): Promise<ControlApiUnderTest> {
	let { settings } = readConfig(`apiAddress: 127.0.0.1:0\n${file}`, { file: "mediamtx.yml", mediamtx: true });
	const asked: AccessRequest[] = [];
	const server = await openControlApi({
		server: httpServerSettings(settings, "api"),
		clock: systemClock,
		log: quiet,
		parts: {
			version: "v1.2.3",
			startedMs: Date.UTC(2026, 0, 2, 3, 4, 5),
			settings: () => settings,
			configure: async (next) => {
				await parts.onConfigure?.(next);
				settings = next;
			},
			configs: () => new PathConfigs(settings),
			paths: () => [],
			sessions: () => [],
			peers: () => [],
			forwards: () => [],
			kick: () => false,
			refreshKeys: async () => undefined,
			authorize: async (request) => {
				asked.push(request);
				return { subject: "tester", expiresMs: null };
			},
			...parts,
		},
	});
	const url = `http://127.0.0.1:${server.port}`;
	const send = async (method: string, path: string, body?: unknown): Promise<Answer> => {
		const text = typeof body === "string" ? body : JSON.stringify(body);
		const response = await fetch(`${url}${path}`, { method, ...(body === undefined ? {} : { body: text }) });
		return { status: response.status, headers: response.headers, json: await response.json() };
	};
	return {
		url,
		asked,
		settings: () => settings,
		get: (path) => send("GET", path),
		send,
		[Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
	};
}
