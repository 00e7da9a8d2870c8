/** Destinations of paths over the control API. */

import { GoneError, InputError } from "#shared/problem.ts";
import type { ForwardSnapshot } from "../paths/forward-runner.ts";
import type { ControlParts, ControlRoute } from "./control-route.ts";
import { found, listed } from "./items.ts";
import { redacted } from "./secrets-in-settings.ts";

type ForwardParts = Pick<ControlParts, "forwards" | "paths" | "configs">;

export function forwardRoutes(parts: ForwardParts): ControlRoute[] {
	return [
		{
			method: "GET",
			path: "/paths/forward/list",
			handle: ({ query }) => listed(forwardsOf(parts, query), query, forwardJson),
		},
		{
			method: "GET",
			path: "/paths/forward/get",
			handle: ({ query }) => {
				const all = forwardsOf(parts, query);
				return forwardJson(found(all, query.get("id") ?? "", "forward destination"));
			},
		},
	];
}

function forwardsOf({ forwards, paths, configs }: ForwardParts, query: URLSearchParams): readonly ForwardSnapshot[] {
	const path = query.get("path") ?? "";
	if (path === "") throw new InputError("input.invalid", "path is required");
	if (!configs().exact.has(path) && !paths().some(({ name }) => name === path)) {
		throw new GoneError("http.not_found", "path not found");
	}
	return forwards(path);
}

function forwardJson({
	id,
	createdMs,
	position,
	protocol,
	settings,
	state,
	lastError,
	outboundBytes,
}: ForwardSnapshot) {
	return {
		id,
		created: new Date(createdMs).toISOString(),
		pos: position,
		protocol,
		conf: redacted(settings),
		state,
		lastError,
		outboundBytes,
	};
}
