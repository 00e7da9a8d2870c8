import type { Api } from "../api/client.ts";
import { useApi, useMe } from "../api/hooks.ts";
import { PlaybackTokens } from "./playback-tokens.ts";

/** One of each session, which goes with it. */
const tokensOf = new WeakMap<Api, PlaybackTokens>();

/** The tokens that this session watches with: the same ones on every page. */
export function usePlaybackTokens(): PlaybackTokens {
	const api = useApi();
	const { permissions } = useMe();
	const known = tokensOf.get(api);
	if (known !== undefined) return known;
	const isForAll = permissions.some(({ action, path }) => action === "api" || (action === "manage" && path === ""));
	const tokens = new PlaybackTokens(api, isForAll);
	tokensOf.set(api, tokens);
	return tokens;
}
