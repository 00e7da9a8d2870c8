import { THUMBNAIL_SUBJECT } from "#shared/access/thumbnail-subject.ts";
import type { Api } from "../api/client.ts";
import { useApi, useMe } from "../api/hooks.ts";
import { PlaybackTokens } from "./playback-tokens.ts";

type TokensOf = WeakMap<Api, PlaybackTokens>;

/** One of each session, which goes with it. */
const toWatch: TokensOf = new WeakMap();
const toDraw: TokensOf = new WeakMap();

/** The tokens that this session watches with: the same ones on every page. */
export function usePlaybackTokens(): PlaybackTokens {
	return useTokens(toWatch, "console");
}

/** The tokens that this session draws small pictures with: they do not count as viewers. */
export function useThumbnailTokens(): PlaybackTokens {
	return useTokens(toDraw, THUMBNAIL_SUBJECT);
}

function useTokens(tokensOf: TokensOf, subject: string): PlaybackTokens {
	const api = useApi();
	const { permissions } = useMe();
	const known = tokensOf.get(api);
	if (known !== undefined) return known;
	const isForAll = permissions.some(({ action, path }) => action === "api" || (action === "manage" && path === ""));
	const tokens = new PlaybackTokens(api, isForAll, subject);
	tokensOf.set(api, tokens);
	return tokens;
}
