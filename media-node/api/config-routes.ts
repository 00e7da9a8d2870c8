/** Settings over the control API: they live in memory, and last until the file is read again. */

import { isDeepStrictEqual } from "node:util";
import type { Settings } from "#shared/config/settings.ts";
import { GoneError, InputError } from "#shared/problem.ts";
import { httpServerSettings } from "../http/http-server.ts";
import type { Logger } from "../log.ts";
import type { ControlParts, ControlRoute } from "./control-route.ts";
import { globalJson, pathConfigJson, pathJson } from "./mediamtx-shape.ts";
import { paginate } from "./pagination.ts";
import { patchedSettings, type SettingsPatch } from "./settings-patch.ts";

type ConfigParts = Pick<ControlParts, "settings" | "configure">;

export function configRoutes(parts: ConfigParts, log: Logger): ControlRoute[] {
	const { settings } = parts;
	const changes = new SettingsChanges(parts, log);
	const patch = (change: SettingsPatch) => changes.make((now) => patchedSettings(now, change));
	return [
		{ method: "GET", path: "/config/global/get", handle: () => globalJson(settings()) },
		{
			method: "PATCH",
			path: "/config/global/patch",
			handle: async ({ json }) => patch({ global: await json() }),
		},
		{ method: "GET", path: "/config/pathdefaults/get", handle: () => pathConfigJson("", settings().pathDefaults) },
		{
			method: "PATCH",
			path: "/config/pathdefaults/patch",
			handle: async ({ json }) => patch({ pathDefaults: await json() }),
		},
		{
			method: "GET",
			path: "/config/paths/list",
			handle: ({ query }) => {
				const now = settings();
				const page = paginate(Object.keys(now.paths).sort(), query);
				return { ...page, items: page.items.map((name) => pathJson(name, now)) };
			},
		},
		{
			method: "GET",
			path: "/config/paths/get/*",
			handle: ({ name }) => {
				const now = settings();
				if (!Object.hasOwn(now.paths, name)) throw new GoneError("http.not_found", "path configuration not found");
				return pathJson(name, now);
			},
		},
		{
			method: "POST",
			path: "/config/paths/add/*",
			handle: async ({ name, json }) => {
				const says = await json();
				return changes.make((now) => {
					if (Object.hasOwn(now.paths, name)) throw new InputError("path.conflict", "path already exists");
					return patchedSettings(now, { path: { name, says, instead: true } });
				});
			},
		},
		{
			method: "PATCH",
			path: "/config/paths/patch/*",
			handle: async ({ name, json }) => {
				const says = await json();
				return changes.make((now) => {
					expectPath(now, name);
					return patchedSettings(now, { path: { name, says, instead: false } });
				});
			},
		},
		{
			method: "POST",
			path: "/config/paths/replace/*",
			handle: async ({ name, json }) => patch({ path: { name, says: await json(), instead: true } }),
		},
		{
			method: "DELETE",
			path: "/config/paths/delete/*",
			handle: ({ name }) =>
				changes.make((now) => {
					expectPath(now, name);
					const { [name]: _deleted, ...paths } = now.paths;
					return { ...now, paths };
				}),
		},
	];
}

/** Makes changes one after the other: each begins with what the one before left. */
class SettingsChanges {
	readonly #parts: ConfigParts;
	readonly #log: Logger;
	#last: Promise<void> = Promise.resolve();

	constructor(parts: ConfigParts, log: Logger) {
		this.#parts = parts;
		this.#log = log;
	}

	make(change: (settings: Settings) => Settings): Promise<void> {
		const made = this.#last.then(() => this.#make(change));
		this.#last = made.catch(() => undefined);
		return made;
	}

	async #make(change: (settings: Settings) => Settings): Promise<void> {
		const before = this.#parts.settings();
		const next = change(before);
		const applied = this.#apply(next, before);
		// A server that is replaced lets this answer go out first, and cannot be waited for here.
		if (isSameServer(before, next)) await applied;
		else applied.catch((error: unknown) => this.#log.error({ err: error }, "The control API's change was taken back"));
	}

	/** What cannot be applied is taken back. */
	async #apply(next: Settings, before: Settings): Promise<void> {
		try {
			await this.#parts.configure(next);
		} catch (error) {
			await this.#parts.configure(before);
			throw error;
		}
	}
}

/** The server that the request came to stays. */
function isSameServer(before: Settings, next: Settings): boolean {
	return (
		before.api === next.api && isDeepStrictEqual(httpServerSettings(before, "api"), httpServerSettings(next, "api"))
	);
}

function expectPath({ paths }: Settings, name: string): void {
	if (!Object.hasOwn(paths, name)) throw new GoneError("http.not_found", "path not found");
}
