import type { RevocationRequest } from "../../../routes/revocations.ts";
import { tokenIn } from "./token-in.ts";

/** By what tokens are revoked, in the words of the page. */
export const REVOKE_BY = [
	{ value: "token", label: "A token", field: "Token, or the URL that it is in" },
	{ value: "tokenId", label: "A token, by its id", field: "Id of the token" },
	{ value: "subject", label: "All of one viewer", field: "For whom they were made" },
	{ value: "path", label: "All for watching a path", field: "Name of the path" },
] as const;
export type RevokeBy = (typeof REVOKE_BY)[number]["value"];

export function revocationRequest(by: RevokeBy, text: string): RevocationRequest {
	return { [by]: by === "token" ? tokenIn(text) : text.trim() };
}
